import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';
import type { Measurement } from '../results/measurement.ts';
import type { RunRecord } from '../run-record.ts';

/**
 * The fields of the two measurements and their types, which InfluxDB fixes with the first point ever written: a point whose
 * field has another type is refused.
 */
export const FIELDS = {
  iperf3: {
    floats: [
      'bits_per_second',
      'seconds',
      'rtt_ms',
      'jitter_ms',
      'lost_percent',
      'cpu_device_percent',
      'cpu_server_percent',
      'cross_traffic',
    ],
    integers: ['bytes', 'retransmits', 'packets', 'lost_packets', 'cpu_bound', 'derived'],
    strings: [],
  },
  iperf3_run: { floats: ['duration_s', 'queued_s'], integers: ['success', 'attempts'], strings: ['reason', 'run'] },
} as const;

/** Tags of both measurements. */
export const TAGS = ['device', 'organization', 'server', 'protocol', 'direction', 'via', 'outcome'] as const;

/** Some of these keys. zod reads an object of known keys in a quarter of the time of a record. */
const someOf = <const K extends string, T extends z.ZodType>(keys: readonly K[], value: T) =>
  z.strictObject(
    Object.fromEntries(keys.map((key) => [key, z.exactOptional(value)])) as Record<K, z.ZodExactOptional<T>>,
  );

/** A newline or a trailing backslash in a tag would corrupt the line protocol of either client: ids have neither. */
const Tags = someOf(TAGS, Id);

/** Strings are one line each. */
const Text = z.string().regex(/^[^\p{Cc}]*$/u);

/** One point. It is exactly of the schema: neither client finds anything to refuse in it. */
export const Point = z.discriminatedUnion('measurement', [
  z.object({
    measurement: z.literal('iperf3'),
    tags: Tags,
    floats: someOf(FIELDS.iperf3.floats, z.number()),
    integers: someOf(FIELDS.iperf3.integers, z.int()),
    strings: z.object({}),
    time_ms: z.int(),
  }),
  z.object({
    measurement: z.literal('iperf3_run'),
    tags: Tags,
    floats: someOf(FIELDS.iperf3_run.floats, z.number()),
    integers: someOf(FIELDS.iperf3_run.integers, z.int()),
    strings: someOf(FIELDS.iperf3_run.strings, Text),
    time_ms: z.int(),
  }),
]);
export type Point = z.infer<typeof Point>;

const withValue = (names: readonly string[], values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => (values[name] ?? null) !== null).map((name) => [name, values[name]]));

const point = (
  measurement: 'iperf3' | 'iperf3_run',
  tags: Record<string, string | null>,
  fields: Record<string, unknown>,
  time_ms: number,
): Point =>
  Point.parse({
    measurement,
    tags: withValue(TAGS, tags),
    floats: withValue(FIELDS[measurement].floats, fields),
    integers: withValue(FIELDS[measurement].integers, fields),
    strings: withValue(FIELDS[measurement].strings, fields),
    time_ms: Math.round(time_ms),
  });

/** A mark is the integer 1, or not there: InfluxDB counts and adds those. */
const asInteger = (mark: true | undefined): 1 | null => (mark === undefined ? null : 1);

/** The point of one direction of one test. `time_ms` is when the test began: the grant of its attempt plus `started_ms`. */
export const measurementPoint = (
  run: { device: string; organization: string; server: string },
  measurement: Measurement,
  time_ms: number,
): Point =>
  point(
    'iperf3',
    {
      device: run.device,
      organization: run.organization,
      server: run.server,
      protocol: measurement.protocol,
      direction: measurement.direction,
    },
    { ...measurement, cpu_bound: asInteger(measurement.cpu_bound), derived: asInteger(measurement.derived) },
    time_ms,
  );

/** Whether the network did its job; a run that was never tried says nothing about that. */
const successOf = (outcome: RunRecord['outcome']): 0 | 1 | null => {
  if (outcome === 'success') return 1;
  return outcome === 'failed' || outcome === 'lost' ? 0 : null;
};

/** The point of a run that is over. `time_ms` is its grant or, when it never had a slot, its end. */
export const runPoint = (
  record: Pick<
    RunRecord,
    'run' | 'device' | 'organization' | 'server' | 'via' | 'outcome' | 'reason' | 'queued_s' | 'duration_s' | 'attempts'
  >,
  time_ms: number,
): Point =>
  point(
    'iperf3_run',
    {
      device: record.device,
      organization: record.organization,
      server: record.server,
      via: record.via,
      outcome: record.outcome,
    },
    {
      success: successOf(record.outcome),
      duration_s: record.duration_s,
      queued_s: record.queued_s,
      attempts: record.attempts,
      reason: record.reason?.replace(/\p{Cc}+/gu, ' '),
      run: record.run,
    },
    time_ms,
  );
