import { count, total } from './figures.ts';
import { omittedStreams } from './intervals.ts';
import type { Iperf3Output } from './iperf3-output.ts';
import type { Measurement } from './measurement.ts';
import { movedBytes } from './moved-bytes.ts';

/** What a segment of TCP carries over Ethernet, at most. */
const FULL_SEGMENT = 1448;
/** Its headers, and half as much for the acknowledgements. */
const SEGMENT_HEADER_BYTES = 66 * 1.5;
/** A segment that was sent again. */
const RETRANSMITTED_BYTES = 1514;
/** Where nobody counts what is sent again, it is taken to be this share. */
const UNCOUNTED_RETRANSMITS = 0.05;
/** A UDP packet over Ethernet with IPv6. */
const UDP_HEADER_BYTES = 66;
/** Packets that are larger than the link takes are cut into pieces, each with a header. */
const UDP_OVERHEAD = 0.03;
/** iperf3's control connection, and the agent's own messages. */
const BESIDE_BYTES = 64_000;
/** A link that a test went over has seen this share of what arrived. Counters are read a little before and after. */
const LEAST_SHARE = 0.9;

/** What was sent again, also in the omitted seconds, which the counts at the end leave out. */
const sentAgain = (output: Iperf3Output, moved: number, measurements: readonly Measurement[]): number => {
  const counted = total(measurements.map(({ retransmits }) => retransmits));
  if (counted === undefined) return moved * UNCOUNTED_RETRANSMITS;
  const omitted = omittedStreams(output).reduce((sum, { retransmits }) => sum + (count(retransmits) ?? 0), 0);
  return (counted + omitted) * RETRANSMITTED_BYTES;
};

const overhead = (output: Iperf3Output, moved: number, measurements: readonly Measurement[]): number => {
  if (measurements.every(({ protocol }) => protocol === 'tcp')) {
    const segment = Math.min(count(output.start.tcp_mss_default) || FULL_SEGMENT, FULL_SEGMENT);
    return (moved / segment) * SEGMENT_HEADER_BYTES + sentAgain(output, moved, measurements);
  }
  const packets = total(measurements.map((one) => one.packets)) ?? 0;
  return moved * UDP_OVERHEAD + packets * UDP_HEADER_BYTES;
};

/**
 * bit/s of others on the device's WAN while a test ran, 0 for none. What the test may have used at most is taken off, so it is rather too low
 * than too high. Undefined when nobody counted, or when the test cannot have gone over that interface.
 */
export const crossTraffic = (
  counted: { wan_bytes?: number | null | undefined; elapsed_ms?: number },
  output: Iperf3Output,
  measurements: readonly Measurement[],
): number | undefined => {
  const { wan_bytes, elapsed_ms } = counted;
  if (wan_bytes == null || elapsed_ms === undefined || elapsed_ms <= 0) return undefined;
  const arrived = measurements.reduce((sum, { bytes }) => sum + bytes, 0);
  if (wan_bytes < arrived * LEAST_SHARE) return undefined;
  const moved = movedBytes(output);
  const others = wan_bytes - moved - overhead(output, moved, measurements) - BESIDE_BYTES;
  return Math.round((8000 * Math.max(0, others)) / elapsed_ms);
};
