import { parseArgs } from 'node:util';
import type { Clock } from '../broker/clock.ts';
import { version } from '../broker/version.ts';
import { readConfig } from './hosts/node/config.ts';
import { lineLog } from './hosts/node/line-log.ts';
import { NodeAgent } from './hosts/node/node-agent.ts';

const USAGE = `Usage: perfleet agent --config FILE

Measures this device with iperf3 when the controller says so.

  --config FILE  JSON or YAML: device, broker, username, password_file, tls, limits, wan_interface,
                 nice, state
  --version      print the version
  --help         print this
`;

/** What the agent needs of the process that it runs in. */
export interface AgentIo {
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  clock: Clock;
  random: () => number;
  /** Calls `stop` when the process is asked to end. */
  onStop: (stop: () => void) => void;
}

/** `perfleet agent`: runs until it is asked to stop. Resolves with the exit code: 0, 1 when it cannot start, 2 for wrong usage. */
export const runAgent = async (argv: string[], env: NodeJS.ProcessEnv, io: AgentIo): Promise<number> => {
  let file: string | undefined;
  try {
    const options = { config: { type: 'string' }, help: { type: 'boolean' }, version: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: argv, options });
    if (values.help) io.stdout(USAGE);
    if (values.version) io.stdout(`${version}\n`);
    if (values.help || values.version) return 0;
    if (values.config === undefined) throw new Error('--config FILE is missing');
    file = values.config;
  } catch (error) {
    io.stderr(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  try {
    const { clock, random } = io;
    const log = lineLog(io.stderr);
    const agent = new NodeAgent(readConfig(file), { version, clock, random, log, env });
    io.onStop(() => void agent.stop());
    await agent.start();
    await agent.stopped;
    return 0;
  } catch (error) {
    io.stderr(`${(error as Error).message}\n`);
    return 1;
  }
};
