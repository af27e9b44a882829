import { allStreams, type DirectionSums } from './direction-sums.ts';
import {
  count,
  DERIVED,
  type Figures,
  mean,
  present,
  quantity,
  type Throughput,
  throughput,
  total,
  type Warn,
} from './figures.ts';
import type { Sum } from './iperf3-output.ts';

/** iperf3 before 3.8 prints a jitter of 6e8 ms when the two clocks differ; a minute is beyond any path. */
const MAX_JITTER_MS = 60000;

type Loss = Pick<Figures, 'jitter_ms' | 'packets' | 'lost_packets' | 'lost_percent' | 'derived'>;
type LossSum = Partial<Pick<Sum, 'jitter_ms' | 'packets' | 'lost_packets' | 'lost_percent'>>;
type UdpSum = LossSum & Partial<Pick<Sum, 'bytes' | 'seconds' | 'bits_per_second'>>;

/**
 * Jitter and loss as far as they make sense: a loss below zero (reordered packets) counts as none; one above 100% (`-O` with 3.12) and an
 * absurd jitter are dropped.
 */
export const lossFigures = (sum: LossSum, warn: Warn): Loss => {
  const jitter = quantity(sum.jitter_ms);
  const jitter_ms = jitter !== undefined && jitter <= MAX_JITTER_MS ? jitter : undefined;
  if (sum.jitter_ms !== undefined && jitter_ms === undefined) warn(`jitter of ${sum.jitter_ms} ms was dropped`);

  const packets = count(sum.packets);
  const { lost_packets: lost, lost_percent: percent } = sum;
  if ((lost ?? 0) > (packets ?? Number.POSITIVE_INFINITY) || (percent ?? 0) > 100) {
    warn(`loss of ${lost} in ${packets} packets (${percent}%) was dropped`);
    return present({ jitter_ms, packets });
  }
  if ((lost ?? 0) < 0 || (percent ?? 0) < 0) warn(`loss of ${lost} packets (${percent}%) was taken as none`);
  const lost_packets = lost === undefined ? undefined : count(Math.max(0, lost));
  if (percent !== undefined) return present({ jitter_ms, packets, lost_packets, lost_percent: Math.max(0, percent) });
  if (lost_packets === undefined || !packets) return present({ jitter_ms, packets, lost_packets });
  return { ...present({ jitter_ms, packets, lost_packets, lost_percent: (100 * lost_packets) / packets }), ...DERIVED };
};

/** What arrived of what was sent: the older sum tells only bytes and rate of the sender, and the share of packets that was lost. */
const goodput = (sum: UdpSum, seconds: number | undefined, warn: Warn): Throughput | null => {
  const packets = count(sum.packets);
  const { lost_packets: lost } = lossFigures(sum, () => {});
  const sent = throughput({ ...sum, seconds: seconds ?? sum.seconds }, warn);
  if (packets === undefined || lost === undefined || sent === null) return null;
  const share = packets === 0 ? 0 : 1 - lost / packets;
  warn("throughput is derived: the sender's rate less the packets lost");
  return { ...sent, bits_per_second: sent.bits_per_second * share, bytes: Math.round(sent.bytes * share), ...DERIVED };
};

const sumOfStreams = (sums: DirectionSums): UdpSum | undefined => {
  if (!allStreams(sums)) return undefined;
  const all = (key: keyof UdpSum) => sums.streams.map(({ udp }) => udp?.[key]);
  return {
    bytes: total(all('bytes')),
    seconds: mean(all('seconds')),
    bits_per_second: total(all('bits_per_second')),
    packets: total(all('packets')),
    lost_packets: total(all('lost_packets')),
    jitter_ms: mean(all('jitter_ms')),
  };
};

/**
 * UDP: the receiver's count (from 3.11), or what can be derived from the sender's count and the loss; jitter is the mean over the streams.
 * Null when neither is there.
 */
export const udpFigures = (sums: DirectionSums, warn: Warn): Figures | null => {
  const { received } = sums;
  const reported = throughput(received, warn);
  if (received && reported) return { ...reported, ...lossFigures(received, warn) };

  const combined = sums.combined ?? sumOfStreams(sums);
  const derived = combined && goodput(combined, sums.seconds, warn);
  return combined && derived ? { ...derived, ...lossFigures(combined, warn) } : null;
};
