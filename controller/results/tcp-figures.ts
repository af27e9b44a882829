import { allStreams, type DirectionSums } from './direction-sums.ts';
import { count, type Figures, meanOfPositive, present, throughput, total, type Warn } from './figures.ts';
import type { Stream, Sum } from './iperf3-output.ts';

/** A stream's `seconds` is the sender's time even for the receiver; its rate counts with `end - start`. */
const receiverSeconds = ({ receiver }: Stream): number =>
  receiver?.end === undefined ? Number.NaN : receiver.end - (receiver.start ?? 0);

const sumOfStreams = (sums: DirectionSums): Pick<Sum, 'bytes' | 'seconds'> | undefined =>
  allStreams(sums)
    ? {
        bytes: total(sums.streams.map((stream) => count(stream.receiver?.bytes))),
        seconds: Math.max(...sums.streams.map(receiverSeconds)),
      }
    : undefined;

/**
 * TCP: the receiver's count, with the sender's retransmits and its mean round trip time over all streams.
 * Null when the receiver's count is not there.
 */
export const tcpFigures = (sums: DirectionSums, warn: Warn): Figures | null => {
  const reported = throughput(sums.received, warn);
  const received = reported ?? throughput(sumOfStreams(sums), () => {});
  if (received === null) return null;
  if (reported === null) warn('throughput is the sum over the streams');

  const retransmits = count(sums.sent?.retransmits ?? total(sums.streams.map((stream) => stream.sender?.retransmits)));
  const rtt_us = meanOfPositive(sums.streams.map((stream) => stream.sender?.mean_rtt));
  return { ...received, ...present({ retransmits, rtt_ms: rtt_us === undefined ? undefined : rtt_us / 1000 }) };
};
