import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findProgram } from '../../controller/demo/find-program.ts';

/** What an agent runs on. */
export interface AgentHost {
  name: 'Node' | 'ucode';
  /** The file that is shipped. */
  bundle: string;
  /** Bytes of its package, null when that is not built. */
  ipk_bytes: number | null;
  /** How it is started, without `--config FILE`; null when that cannot be done here. */
  command: string[] | null;
  env: NodeJS.ProcessEnv;
}

const packageBytes = (dist: string, name: string): number | null => {
  const file = readdirSync(dist).find((one) => one.startsWith(`${name}_`) && one.endsWith('.ipk'));
  return file === undefined ? null : statSync(join(dist, file)).size;
};

/** The agents that are built in `dist`. ucode is what `UCODE` names, or the one on the PATH. */
export const agentHosts = (env: NodeJS.ProcessEnv, dist = resolve('dist')): AgentHost[] => {
  const node = join(dist, 'agent.js');
  const uc = join(dist, 'perfleet-agent.uc');
  const ucode = env['UCODE'] ?? findProgram('ucode', env);
  const hosts = [
    {
      ...{ name: 'Node' as const, bundle: node, ipk_bytes: packageBytes(dist, 'perfleet-agent-node') },
      ...{ command: [process.execPath, node], env },
    },
    {
      ...{ name: 'ucode' as const, bundle: uc, ipk_bytes: packageBytes(dist, 'perfleet-agent') },
      command: ucode === null ? null : [join(dist, 'perfleet-agent')],
      env: { ...env, UCODE: ucode ?? '', PERFLEET_AGENT: uc },
    },
  ];
  return hosts.filter(({ bundle }) => existsSync(bundle));
};
