import type { TestPlan } from '../../broker/contract/messages.ts';
import { UDP_DEFAULT } from '../schedule/max-bitrate.ts';
import { type DirectionSums, directionSums, directionsOf, ownWords } from './direction-sums.ts';
import { count } from './figures.ts';
import { omittedStreams, readIntervals } from './intervals.ts';
import type { Iperf3Output } from './iperf3-output.ts';

/** The largest of the counts that are there; null when none is. */
const largest = (values: (number | undefined)[]): number | null => {
  const counts = values.flatMap((value) => count(value) ?? []);
  return counts.length === 0 ? null : Math.max(...counts);
};

/** The sum of counts of bytes, as far as a store can keep it. */
export const addedUp = (counts: readonly number[]): number =>
  Math.min(
    counts.reduce((sum, bytes) => sum + bytes, 0),
    Number.MAX_SAFE_INTEGER,
  );

/** What one direction says of itself at its end: what was sent may be more than what arrived. */
const ofSums = ({ sent, received, combined, streams }: DirectionSums): number | null => {
  const whole = largest([sent?.bytes, received?.bytes, combined?.bytes]);
  if (whole !== null) return whole;
  const single = streams.flatMap(
    ({ sender, receiver, udp }) => largest([sender?.bytes, receiver?.bytes, udp?.bytes]) ?? [],
  );
  return single.length === 0 ? null : single.reduce((sum, bytes) => sum + bytes, 0);
};

/**
 * How many bytes a test has moved over the device's link, both ways, as iperf3 counted them: also one that failed midway. The sums at the end
 * leave out the omitted seconds, whose bytes were moved all the same. Without the sums all intervals count. A safe integer; never throws.
 */
export const movedBytes = (output: Iperf3Output): number => {
  const direction = ownWords(output).direction ?? 'upload';
  const sums = directionsOf(direction).flatMap(
    (one) => ofSums(directionSums(output, one, direction === 'bidir')) ?? [],
  );
  const beside = sums.length === 0 ? readIntervals(output).flat() : omittedStreams(output);
  return addedUp([...sums, ...beside.map(({ bytes }) => count(bytes) ?? 0)]);
};

/**
 * How many bytes these tests will move as far as the plan itself says. TCP without a bitrate, and a bitrate that is still to be measured, say
 * nothing: 0.
 */
export const plannedBytes = (tests: readonly TestPlan[]): number =>
  tests.reduce((sum, { protocol, direction, streams, bitrate, duration_s, omit_s }) => {
    const unnamed = protocol === 'udp' ? UDP_DEFAULT * streams : 0;
    const bits_per_second = bitrate === 'auto' ? 0 : (bitrate ?? unnamed);
    return sum + Math.round((bits_per_second * (duration_s + omit_s) * directionsOf(direction).length) / 8);
  }, 0);
