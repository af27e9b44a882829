import type { Measurement } from '../results/measurement.ts';

/** The fields of a measurement that rules may be about. */
const FIELDS = [
  'bits_per_second',
  'bytes',
  'seconds',
  'retransmits',
  'rtt_ms',
  'jitter_ms',
  'packets',
  'lost_packets',
  'lost_percent',
  'cpu_device_percent',
  'cpu_server_percent',
  'cross_traffic',
] as const satisfies readonly (keyof Measurement)[];

export type FigureField = (typeof FIELDS)[number];

/** Null of anything else, such as `success`. */
export const figureField = (name: string): FigureField | null => FIELDS.find((field) => field === name) ?? null;
