import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nodeAgent, openwrtAgent, realUcode } from '../helpers/shipped-agents.ts';

/** What an agent runs on. */
export interface AgentHost {
  name: 'Node' | 'ucode';
  /** The file that is shipped. */
  bundle: string;
  /** Bytes of its package, null when that is not built. */
  ipk_bytes: number | null;
  /** A shell's line that starts it, without its configuration; null when that cannot be done here. */
  command: string | null;
}

const packageBytes = (dist: string, name: string): number | null => {
  const file = readdirSync(dist).find((one) => one.startsWith(`${name}_`) && one.endsWith('.ipk'));
  return file === undefined ? null : statSync(join(dist, file)).size;
};

/** The agents that are built in `dist`. */
export const agentHosts = (env: NodeJS.ProcessEnv, dist = resolve('dist')): AgentHost[] => {
  const ucode = realUcode(env);
  const hosts: AgentHost[] = [
    {
      name: 'Node',
      bundle: join(dist, 'agent.js'),
      ipk_bytes: packageBytes(dist, 'perfleet-agent-node'),
      command: nodeAgent(dist),
    },
    {
      name: 'ucode',
      bundle: join(dist, 'perfleet-agent.uc'),
      ipk_bytes: packageBytes(dist, 'perfleet-agent'),
      command: ucode === null ? null : openwrtAgent(ucode, dist),
    },
  ];
  return hosts.filter(({ bundle }) => existsSync(bundle));
};
