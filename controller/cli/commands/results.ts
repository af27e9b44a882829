import type { Command } from 'commander';
import { DEFAULT_LIMIT } from '../../api/list-limit.ts';
import { isAtLimit } from '../../results/busy-device.ts';
import type { Measurement } from '../../results/measurement.ts';
import type { RunRecord } from '../../run-record.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { figure, megabits, NOTHING, utc } from '../figures.ts';
import { limit } from '../limit-option.ts';
import { remarksOn } from '../measurements-table.ts';
import { ORIGIN } from '../run-report.ts';
import { since } from '../since-option.ts';
import { type Column, table } from '../table.ts';
import { typedName } from '../typed-name.ts';
import { addResultsShow } from './results-show.ts';

interface ResultsFlags extends ControllerFlags {
  device?: string;
  since?: string;
  limit?: string;
}

const first = (record: RunRecord, protocol: Measurement['protocol'], direction?: Measurement['direction']) =>
  record.measurements.find((one) => one.protocol === protocol && (direction ?? one.direction) === one.direction);

/** Whether there is more behind a figure than the link. */
const isMarked = ({ system = [] }: RunRecord, figures: Measurement): boolean =>
  remarksOn(figures) !== '' || system.some((one) => one.test === figures.test && isAtLimit(one));

const marked = (record: RunRecord, figures: Measurement | undefined): string =>
  `${megabits(figures?.bits_per_second)}${figures !== undefined && isMarked(record, figures) ? '*' : ''}`;

const COLUMNS: readonly Column<RunRecord>[] = [
  { head: 'started (UTC)', cell: ({ granted_at }) => utc(granted_at) },
  { head: 'run', cell: ({ run }) => run },
  { head: 'device', cell: ({ device }) => device },
  { head: 'server', cell: ({ server }) => server ?? NOTHING },
  { head: 'outcome', cell: ({ outcome }) => outcome ?? 'not over' },
  { head: 'up Mbit/s', align: 'right', cell: (record) => marked(record, first(record, 'tcp', 'upload')) },
  { head: 'down Mbit/s', align: 'right', cell: (record) => marked(record, first(record, 'tcp', 'download')) },
  { head: 'jitter ms', align: 'right', cell: (record) => figure(first(record, 'udp')?.jitter_ms) },
  { head: 'loss %', align: 'right', cell: (record) => figure(first(record, 'udp')?.lost_percent, 2) },
  {
    head: 'reason',
    cell: ({ reason, origin }) => [reason, origin && ORIGIN[origin]].filter(Boolean).join(', '),
  },
];

/** `perfleet results`: runs that were, newest first. */
export const addResults = (program: Command, context: Context): void => {
  const command = program
    .command('results')
    .description('show runs and their numbers, newest first')
    .enablePositionalOptions()
    .option('--device <device>', 'only those of this device', typedName)
    .option('--since <time>', 'only those since then: 2026-11-22T02:00:00Z, or how far back: 24h', since)
    .option('--limit <number>', `at most this many (default: ${DEFAULT_LIMIT})`, limit);
  addResultsShow(command, context);
  asksController(command, 'perfleet results --device ap-12 --since 24h').action(async (flags: ResultsFlags) => {
    const { device, since, limit } = flags;
    const given = Object.entries({ device, since, limit }).filter(([, value]) => value !== undefined);
    const records = await clientOf(context, flags).runs(Object.fromEntries(given));
    const { stdout, stderr } = context.io;
    if (flags.json) printJson(context, records);
    else if (records.length > 0) stdout.write(table(context, COLUMNS, records));
    else stderr.write('no such runs\n');
    if (!flags.json && records.some((record) => record.measurements.some((one) => isMarked(record, one)))) {
      stderr.write('* not the link alone, or not measured as such: perfleet results show RUN says why\n');
    }
    if (limit === undefined && records.length === DEFAULT_LIMIT) {
      stderr.write(`only the newest ${DEFAULT_LIMIT} runs: --limit shows more, --since fewer\n`);
    }
  });
};
