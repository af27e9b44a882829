import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findProgram } from '../../controller/demo/find-program.ts';

/** An agent, and a shell's line that starts it: see `withConfig`. */
export interface ShippedAgent {
  name: string;
  command: string;
}

/** What stands in for ucode under Node.js. */
const ON_NODE = 'test/helpers/ucode-on-node/run.mjs';

/** A path as a word of a shell's line. */
const word = (path: string): string => {
  const whole = resolve(path);
  return /^[\w./@+-]+$/.test(whole) ? whole : `'${whole.replaceAll("'", "'\\''")}'`;
};

/** The agent for Node.js. `dist` has what is shipped. */
export const nodeAgent = (dist: string): string => `node ${word(join(dist, 'agent.js'))}`;

/** The agent for OpenWrt, run by this interpreter. */
export const openwrtAgent = (interpreter: string, dist: string): string =>
  `UCODE=${word(interpreter)} PERFLEET_AGENT=${word(join(dist, 'perfleet-agent.uc'))} sh ${word(join(dist, 'perfleet-agent'))}`;

/** The same under Node.js. The working directory is the repository. */
export const openwrtOnNode = (dist: string): string => openwrtAgent(ON_NODE, dist);

/** A real ucode, if there is one: `UCODE=` names it, or it is on the PATH. */
export const realUcode = (env: NodeJS.ProcessEnv): string | null => env['UCODE'] ?? findProgram('ucode', env);

/** The agents of this repository that can be run here, built into `dist`. The working directory is the repository. */
export const shippedAgents = (env: NodeJS.ProcessEnv, dist = 'dist'): ShippedAgent[] => {
  const agents = [{ name: 'Node.js', command: nodeAgent(dist) }];
  if (existsSync(join(dist, 'perfleet-agent.uc'))) {
    agents.push({ name: 'OpenWrt, under Node.js', command: openwrtOnNode(dist) });
    const ucode = realUcode(env);
    if (ucode !== null) agents.push({ name: 'OpenWrt, under ucode', command: openwrtAgent(ucode, dist) });
  }
  return agents;
};

/** How an agent is started with a configuration file: put where `{config}` stands in its line, without it as `--config FILE` at the end. */
export const withConfig = (command: string, file: string): string[] => {
  const line = command.includes('{config}') ? command.replaceAll('{config}', '"$2"') : `${command} "$@"`;
  // `env`, so that a line may begin with NAME=value; `exec`, so that a signal reaches the agent itself.
  return ['sh', '-c', `exec env ${line}`, 'agent', '--config', file];
};
