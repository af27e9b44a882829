import { Command, CommanderError } from 'commander';
import { version } from '../../broker/version.ts';
import { addAgent } from './commands/agent.ts';
import { addAlerts } from './commands/alerts.ts';
import { addCheckConfig } from './commands/check-config.ts';
import { addDemo } from './commands/demo.ts';
import { addDevice } from './commands/device.ts';
import { addExport } from './commands/export.ts';
import { addInflux } from './commands/influx.ts';
import { addParse } from './commands/parse.ts';
import { addResults } from './commands/results.ts';
import { addResume } from './commands/resume.ts';
import { addRun } from './commands/run.ts';
import { addServe } from './commands/serve.ts';
import { addServer } from './commands/server.ts';
import { addSuppress } from './commands/suppress.ts';
import { type Context, withExample } from './context.ts';
import { CommandFailure } from './failure.ts';
import type { Io } from './io.ts';
import { type Parts, realParts } from './parts.ts';

const createProgram = (context: Context): Command => {
  const { stdout, stderr } = context.io;
  const program = new Command('perfleet')
    .description('Measures the bandwidth and jitter of a fleet of OpenWrt routers with iperf3.')
    .version(version)
    .exitOverride()
    // What follows the name of a command is for that command: `results` and `results show` both have --json.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    });
  withExample(program, 'perfleet demo');
  const fleet = [addDevice, addServer, addRun, addResults, addAlerts, addSuppress, addResume, addInflux, addExport];
  const adds = [addDemo, addServe, addCheckConfig, addAgent, ...fleet, addParse];
  for (const add of adds) add(program, context);
  return program;
};

/**
 * Runs one `perfleet` command; `argv` without node and script. Resolves with the exit code: 0 only on success, 1 when it failed,
 * 2 when it was called wrongly. Never rejects but for a defect of ours.
 */
export const runCli = async (argv: readonly string[], io: Io, parts: Parts = realParts): Promise<number> => {
  const context: Context = { io, parts, exitCode: 0 };
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    // Commander has said what is wrong by then; help and version are no failures.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof CommandFailure)) throw error;
    io.stderr.write(`perfleet: ${error.message}\n`);
    return 1;
  }
};
