import type { Measurement } from '../results/measurement.ts';
import type { Context } from './context.ts';
import { figure, megabits, NOTHING } from './figures.ts';
import { type Column, table } from './table.ts';

/** Others that use less than this share of what was measured are not worth a remark. */
const WORTH_A_REMARK = 0.01;

/** What else stands behind a figure than the link, in words; empty where there is nothing to say. */
export const remarksOn = ({ cpu_bound, derived, cross_traffic = 0, bits_per_second }: Measurement): string =>
  [
    cpu_bound === true ? 'cpu-bound' : '',
    derived === true ? 'derived' : '',
    cross_traffic > bits_per_second * WORTH_A_REMARK ? `others: ${megabits(cross_traffic)} Mbit/s` : '',
  ]
    .filter((remark) => remark !== '')
    .join(', ');

const COLUMNS: readonly Column<Measurement>[] = [
  { head: 'test', cell: ({ test }) => test },
  { head: 'direction', cell: ({ direction }) => direction },
  { head: 'Mbit/s', align: 'right', cell: ({ bits_per_second }) => megabits(bits_per_second) },
  { head: 'jitter ms', align: 'right', cell: ({ jitter_ms }) => figure(jitter_ms) },
  { head: 'loss %', align: 'right', cell: ({ lost_percent }) => figure(lost_percent, 2) },
  { head: 'retransmits', align: 'right', cell: ({ retransmits }) => retransmits?.toString() ?? NOTHING },
  { head: 'rtt ms', align: 'right', cell: ({ rtt_ms }) => figure(rtt_ms) },
];

const REMARKS: Column<Measurement> = { head: 'remarks', cell: remarksOn };

/** The numbers of tests, one line a direction; with remarks if there are any. */
export const measurementsTable = (context: Context, measurements: readonly Measurement[]): string => {
  const remarks = measurements.some((one) => remarksOn(one) !== '') ? [REMARKS] : [];
  return table(context, [...COLUMNS, ...remarks], measurements);
};
