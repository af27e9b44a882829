import { z } from 'zod';
import { INTERVAL_KEYS, MAX_STREAMS } from './intervals.ts';

/**
 * The parts of iperf3's JSON that perfleet reads, for every version from 3.0 on. Tolerant: a part that is absent or has another type is
 * undefined, never an error. Ranges are checked where a number is used.
 */

const figure = z.number().optional().catch(undefined);
const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);

/** A sum over streams, or one stream's share of it. Of UDP's older `sum` the bytes are the sender's. */
const Sum = z.object({
  start: figure,
  end: figure,
  seconds: figure,
  bytes: figure,
  bits_per_second: figure,
  retransmits: figure,
  /** Microseconds. */
  mean_rtt: figure,
  jitter_ms: figure,
  lost_packets: figure,
  packets: figure,
  lost_percent: figure,
  /** Whether the device sends. */
  sender: flag,
});
export type Sum = z.infer<typeof Sum>;
const sum = Sum.optional().catch(undefined);

const streamsOf = <T extends z.ZodType<unknown, unknown>>(stream: T) =>
  z
    .array(z.unknown())
    .default([])
    .transform((streams) => streams.slice(0, MAX_STREAMS))
    .pipe(z.array(stream))
    .catch([]);

const Stream = z.object({ sender: sum, receiver: sum, udp: sum });
export type Stream = z.infer<typeof Stream>;

const Cpu = z.object({ host_total: figure, remote_total: figure });

const End = z.object({
  streams: streamsOf(Stream),
  sum,
  sum_sent: sum,
  sum_received: sum,
  sum_bidir_reverse: sum,
  sum_sent_bidir_reverse: sum,
  sum_received_bidir_reverse: sum,
  cpu_utilization_percent: Cpu.optional().catch(undefined),
});
export type End = z.infer<typeof End>;

const TestStart = z.object({
  protocol: text,
  num_streams: figure,
  duration: figure,
  reverse: figure,
  bidir: figure,
});

const Start = z.object({
  version: text,
  connected: z.array(z.unknown()).default([]).catch([]),
  /** Bytes. */
  tcp_mss_default: figure,
  test_start: TestStart.default({}).catch({}),
});

/** Intervals are most of the text and rarely needed: they are read by `readIntervals` (intervals.ts) when they are. */
export const Iperf3Output = z.object({
  start: Start.default({ connected: [], test_start: {} }).catch({ connected: [], test_start: {} }),
  intervals: z.array(z.unknown()).default([]).catch([]),
  end: End.default({ streams: [] }).catch({ streams: [] }),
});
export type Iperf3Output = z.infer<typeof Iperf3Output>;

/** Every key that is read, at any depth: the rest of the text need not be kept. */
export const IPERF3_KEYS: readonly string[] = [
  ...[Iperf3Output, Start, TestStart, End, Stream, Sum, Cpu].flatMap(({ shape }) => Object.keys(shape)),
  ...INTERVAL_KEYS,
];
