import { z } from 'zod';

/** The closed list of what can go wrong with a test; docs/protocol.md says what happens for each. */
export const FailureClass = z.enum(['busy', 'unreachable', 'link-lost', 'auth', 'policy', 'local', 'malformed']);
export type FailureClass = z.infer<typeof FailureClass>;

/** Why a planned test has no measurement. Branch on `class`, never on `message`. */
export const Failure = z.object({ class: FailureClass, message: z.string(), retryable: z.boolean() });
export type Failure = z.infer<typeof Failure>;

const figure = z.number();

/** There when it is so, absent otherwise. */
const mark = z.literal(true).optional();

/**
 * The numbers of one direction of one finished test. Throughput is what the receiver counted, in bit/s.
 * A field that iperf3 did not report is absent. A bidirectional test has two.
 */
export const Measurement = z.object({
  test: z.string(),
  protocol: z.enum(['tcp', 'udp']),
  direction: z.enum(['upload', 'download']),
  bits_per_second: figure,
  bytes: z.int(),
  seconds: figure,
  retransmits: z.int().optional(),
  rtt_ms: figure.optional(),
  jitter_ms: figure.optional(),
  packets: z.int().optional(),
  lost_packets: z.int().optional(),
  lost_percent: figure.optional(),
  cpu_device_percent: figure.optional(),
  cpu_server_percent: figure.optional(),
  /** The device was at the end of its strength (95% or more): the figure says more about it than about its link. */
  cpu_bound: mark,
  /** iperf3 did not report the throughput, or the loss: it was computed from what it did report. */
  derived: mark,
  /** bit/s of others, both ways together, on the device's WAN during the test; absent when it is not known. Rather too low than too high. */
  cross_traffic: figure.optional(),
});
export type Measurement = z.infer<typeof Measurement>;

/**
 * What iperf3's output of one test comes to: one or two measurements, or the reason why there is none. A bidirectional test of which one
 * direction got nothing through has failed, and has the measurement of the other.
 */
export type Reading =
  | { ok: true; version: string | null; measurements: Measurement[]; warnings: string[] }
  | { ok: false; version: string | null; failure: Failure; measurements: Measurement[]; warnings: string[] };
