import type { Measurement } from '../results/measurement.ts';
import type { Context } from './context.ts';
import { figure, megabits, NOTHING } from './figures.ts';
import { type Column, table } from './table.ts';

const COLUMNS: readonly Column<Measurement>[] = [
  { head: 'test', cell: ({ test }) => test },
  { head: 'direction', cell: ({ direction }) => direction },
  { head: 'Mbit/s', align: 'right', cell: ({ bits_per_second }) => megabits(bits_per_second) },
  { head: 'jitter ms', align: 'right', cell: ({ jitter_ms }) => figure(jitter_ms) },
  { head: 'loss %', align: 'right', cell: ({ lost_percent }) => figure(lost_percent, 2) },
  { head: 'retransmits', align: 'right', cell: ({ retransmits }) => retransmits?.toString() ?? NOTHING },
  { head: 'rtt ms', align: 'right', cell: ({ rtt_ms }) => figure(rtt_ms) },
];

/** The numbers of tests, one line a direction. */
export const measurementsTable = (context: Context, measurements: readonly Measurement[]): string =>
  table(context, COLUMNS, measurements);
