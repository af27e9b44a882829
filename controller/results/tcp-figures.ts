import { allStreams, type DirectionSums } from './direction-sums.ts';
import { count, DERIVED, type Figures, mean, present, throughput, total, type Warn } from './figures.ts';
import type { Stream, Sum } from './iperf3-output.ts';

/** The `seconds` of a stream's receiver are the sender's; its rate counts with `end`, which begins at 0. */
const receiverSeconds = ({ receiver }: Stream): number => receiver?.end ?? Number.NaN;

const sumOfStreams = (sums: DirectionSums): Pick<Sum, 'bytes' | 'seconds'> | undefined =>
  allStreams(sums)
    ? {
        bytes: total(sums.streams.map((stream) => count(stream.receiver?.bytes))),
        seconds: Math.max(...sums.streams.map(receiverSeconds)),
      }
    : undefined;

/**
 * TCP: the receiver's count, with the sender's retransmits and its mean round trip time over all streams. That of a download is not known:
 * what `--bidir` prints for it is of the device's own kernel, which sends next to nothing that way.
 * Null when the receiver's count is not there.
 */
export const tcpFigures = (sums: DirectionSums, warn: Warn): Figures | null => {
  const reported = throughput(sums.received, warn);
  const received = reported ?? throughput(sumOfStreams(sums), () => {});
  if (received === null) return null;
  if (reported === null) warn('throughput is the sum over the streams');

  const retransmits = count(sums.sent?.retransmits ?? total(sums.streams.map((stream) => stream.sender?.retransmits)));
  const senders = sums.device_sends ? sums.streams : [];
  const rtt_us = mean(senders.map((stream) => stream.sender?.mean_rtt).filter((rtt) => rtt !== 0));
  const derived = reported === null ? DERIVED : {};
  return { ...received, ...derived, ...present({ retransmits, rtt_ms: rtt_us && rtt_us / 1000 }) };
};
