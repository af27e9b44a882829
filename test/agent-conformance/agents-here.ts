import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findProgram } from '../../controller/demo/find-program.ts';

/** An agent, and the command that starts it. */
export interface AgentHere {
  name: string;
  command: string;
}

/** What stands in for ucode under Node.js. */
const ON_NODE = 'test/helpers/ucode-on-node/run.mjs';

/** The agent for OpenWrt, run by this interpreter. `dist` has what is shipped. */
export const openwrtAgent = (interpreter: string, dist: string): string =>
  `UCODE=${resolve(interpreter)} PERFLEET_AGENT=${resolve(dist, 'perfleet-agent.uc')} sh ${resolve(dist, 'perfleet-agent')}`;

/** The same under Node.js. */
export const openwrtOnNode = (dist: string, root = '.'): string => openwrtAgent(join(root, ON_NODE), dist);

/** A real ucode, if there is one: `UCODE=` names it, or it is on the PATH. */
export const realUcode = (env: NodeJS.ProcessEnv): string | null => env['UCODE'] ?? findProgram('ucode', env);

/** The agents of this repository that can be run here, built into `dist`. The working directory is the repository. */
export const agentsHere = (env: NodeJS.ProcessEnv, dist = 'dist'): AgentHere[] => {
  const agents = [{ name: 'Node.js', command: `node ${resolve(dist, 'agent.js')}` }];
  if (existsSync(join(dist, 'perfleet-agent.uc'))) {
    agents.push({ name: 'OpenWrt, under Node.js', command: openwrtOnNode(dist) });
    const ucode = realUcode(env);
    if (ucode !== null) agents.push({ name: 'OpenWrt, under ucode', command: openwrtAgent(ucode, dist) });
  }
  return agents;
};
