import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** An agent, and the command that starts it. */
export interface AgentHere {
  name: string;
  command: string;
}

/** The agents of this repository that can be run here, built into `dist`. */
export const agentsHere = (_env: NodeJS.ProcessEnv, dist = 'dist'): AgentHere[] => {
  const node = resolve(dist, 'agent.js');
  return existsSync(node) ? [{ name: 'Node', command: `node ${node}` }] : [];
};
