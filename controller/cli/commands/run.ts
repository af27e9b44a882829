import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { messageOf } from '../failure.ts';
import { followRun } from '../follow-run.ts';
import type { Io } from '../io.ts';
import { type ProgressDisplay, progressBars, progressLines } from '../progress-display.ts';
import { adviceOn, runReport } from '../run-report.ts';
import { typedName } from '../typed-name.ts';

interface RunFlags extends ControllerFlags {
  server?: string;
}

const SILENT: ProgressDisplay = { show: () => {}, close: () => {} };

const displayFor = (io: Io, json: boolean | undefined): ProgressDisplay => {
  if (json) return SILENT;
  return io.stderr.isTTY === true ? progressBars(io) : progressLines(io);
};

/**
 * Ctrl-C cancels the run on the controller, which then tells its end; a second one ends the command itself. The returned function
 * stops listening, and resolves when it has been said how a cancellation went.
 */
const cancelOnInterrupt = (io: Io, api: ApiClient, run: string): (() => Promise<void>) => {
  let said = Promise.resolve();
  const say = (text: string) => void io.stderr.write(`\n${text}\n`);
  const cancel = () => {
    unlisten();
    said = api.cancelRun(run).then(
      () => say(`${run}: cancelled on the controller`),
      (error: unknown) => say(`perfleet: ${run} could not be cancelled: ${messageOf(error)}`),
    );
  };
  const listening = [io.onSignal('SIGINT', cancel), io.onSignal('SIGTERM', cancel)];
  const unlisten = () => {
    for (const one of listening) one();
  };
  return () => {
    unlisten();
    return said;
  };
};

/** `perfleet run`: one run now, shown live. */
export const addRun = (program: Command, context: Context): void => {
  const command = program
    .command('run')
    .description('measure one device now, and show it live')
    .argument('<device>', 'the device to measure', typedName)
    .option(
      '--server <server>',
      "the server to use (default: the first of the organization's that is free)",
      typedName,
    );
  asksController(command, 'perfleet run ap-12 --server milan-1').action(async (device: string, flags: RunFlags) => {
    const { io } = context;
    const api = clientOf(context, flags);
    const { run } = await api.orderRun({ device, server: flags.server ?? null });
    const settle = cancelOnInterrupt(io, api, run);
    const display = displayFor(io, flags.json);
    const record = await followRun(api, run, io.clock, display.show).finally(() => {
      display.close();
      return settle();
    });
    if (flags.json) printJson(context, record);
    else {
      io.stdout.write(runReport(context, record));
      io.stderr.write(adviceOn(record));
    }
    if (record.outcome !== 'success') context.exitCode = 1;
  });
};
