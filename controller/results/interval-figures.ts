import { DERIVED, type Figures, mean, present, throughput, total, type Warn } from './figures.ts';
import { type IntervalStream, readIntervals } from './intervals.ts';
import type { Iperf3Output } from './iperf3-output.ts';
import type { Measurement } from './measurement.ts';
import { lossFigures } from './udp-figures.ts';

/** Less of a test than this says little about it: TCP's start is slow. */
const MIN_SHARE = 0.5;

const secondsOf = (streams: IntervalStream[]): number =>
  Math.max(...streams.map(({ seconds }) => seconds ?? Number.NaN));

/** Jitter is a running estimate: the last interval has it. */
const udpOf = (streams: IntervalStream[], last: IntervalStream[], warn: Warn) =>
  lossFigures(
    {
      packets: total(streams.map(({ packets }) => packets)),
      lost_packets: total(streams.map(({ lost_packets }) => lost_packets)),
      jitter_ms: mean(last.map(({ jitter_ms }) => jitter_ms)),
    },
    warn,
  );

/**
 * The numbers of a download whose `end` is missing: its intervals are what the device received. (The intervals of an upload are what the
 * device has handed to its kernel, which is no measurement of the link.) Null when they cover less than half of `planned_s`.
 */
export const intervalFigures = (
  output: Iperf3Output,
  protocol: Measurement['protocol'],
  planned_s: number,
  warn: Warn,
): Figures | null => {
  const intervals = readIntervals(output)
    .map((streams) => streams.filter(({ sender, omitted }) => sender !== true && omitted !== true))
    .filter((streams) => streams.length > 0);
  const streams = intervals.flat();
  const received = throughput(
    { bytes: total(streams.map(({ bytes }) => bytes)), seconds: total(intervals.map(secondsOf)) },
    () => {},
  );
  if (received === null || received.seconds < planned_s * MIN_SHARE) return null;
  warn(`the sums are missing: throughput is that of ${intervals.length} intervals, ${received.seconds} s`);
  const udp = protocol === 'udp' ? udpOf(streams, intervals.slice(-1).flat(), warn) : present({});
  return { ...received, ...udp, ...DERIVED };
};
