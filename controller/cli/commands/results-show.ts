import type { Command } from 'commander';
import type { TestOutput } from '../../../broker/contract/messages.ts';
import type { RawView } from '../../api/run-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { figure } from '../figures.ts';
import { runReport } from '../run-report.ts';
import { harmless, harmlessLines } from '../terminal-text.ts';
import { typedName } from '../typed-name.ts';

interface ShowFlags extends ControllerFlags {
  raw?: boolean;
}

const endOf = ({ exit_code, started_ms, ended_ms }: TestOutput): string =>
  `exit code ${exit_code ?? 'unknown'}, ${figure((ended_ms - started_ms) / 1000, 1)} s`;

/** stdout gets what iperf3 printed there, as it is unless a person looks on; stderr gets the rest, and what belongs to which test. */
const showRaw = ({ io: { stdout, stderr } }: Context, { attempts }: RawView): void => {
  const lines = (text: string, on: typeof stdout): string => (on.isTTY === true ? harmlessLines(text) : text);
  attempts.forEach(({ tests }, index) => {
    for (const test of tests) {
      stderr.write(`attempt ${index + 1}, ${harmless(test.test)}: ${endOf(test)}\n`);
      stdout.write(lines(test.stdout, stdout));
      stderr.write(lines(test.stderr, stderr));
    }
  });
};

/** `perfleet results show`: one run, or what iperf3 printed in it. */
export const addResultsShow = (parent: Command, context: Context): void => {
  const show = parent
    .command('show')
    .description('show one run, or what iperf3 printed in it')
    .argument('<run>', 'its id, as in the list', typedName)
    .option('--raw', "print iperf3's own output, as far as it is still kept");
  asksController(show, 'perfleet results show r-af0548a1a75dfb9 --raw').action(
    async (run: string, flags: ShowFlags) => {
      const client = clientOf(context, flags);
      if (flags.raw !== true) {
        const record = await client.run(run);
        if (flags.json) printJson(context, record);
        else context.io.stdout.write(runReport(context, record));
        return;
      }
      const raw = await client.raw(run);
      if (flags.json) return printJson(context, raw);
      if (raw.attempts.length > 0) return showRaw(context, raw);
      throw new CommandFailure(
        `nothing is kept of what iperf3 printed in ${run}: no result came, or it was dropped for its age or size`,
      );
    },
  );
};
