import type { TestPlan } from '../../broker/contract/messages.ts';
import type { End, Iperf3Output, Stream, Sum } from './iperf3-output.ts';
import type { Measurement } from './measurement.ts';

type Protocol = Measurement['protocol'];
type Direction = Measurement['direction'];

/** What a test measures. */
export type Shape = { protocol: Protocol; direction: TestPlan['direction'] };

/** What `end` says about one direction. */
export interface DirectionSums {
  /** Whether the device sends: then what its kernel says of the sender is of this direction. */
  device_sends: boolean;
  received: Sum | undefined;
  sent: Sum | undefined;
  /** UDP's older sum: bytes and rate are the sender's, jitter and loss the receiver's. */
  combined: Sum | undefined;
  streams: Stream[];
  /** Seconds that the receiver counted, the same for both directions. */
  seconds: number | undefined;
  /** How many streams there must be, as far as the output says. */
  expected_streams: number | undefined;
}

const deviceSends = (stream: Stream): boolean | undefined => (stream.sender ?? stream.udp)?.sender;

const hasReverseSums = (end: End): boolean =>
  (end.sum_received_bidir_reverse ?? end.sum_sent_bidir_reverse ?? end.sum_bidir_reverse) !== undefined;

/** The directions of a test, in the order of its measurements. */
export const directionsOf = (direction: TestPlan['direction']): Direction[] =>
  direction === 'bidir' ? ['upload', 'download'] : [direction];

/** What kind of test an output is of, by its own words; undefined is what it does not tell. */
export interface OwnWords {
  protocol: Protocol | undefined;
  direction: TestPlan['direction'] | undefined;
  /** A protocol that perfleet does not measure (SCTP). */
  foreign: string | undefined;
}

const PROTOCOLS = new Map<string, Protocol>([
  ['TCP', 'tcp'],
  ['UDP', 'udp'],
]);

const protocolOfSums = (end: End): Protocol | undefined => {
  if (end.sum?.jitter_ms !== undefined) return 'udp';
  return end.sum_received === undefined ? undefined : 'tcp';
};

const directionIn = ({ start, end }: Iperf3Output): OwnWords['direction'] => {
  const { reverse, bidir } = start.test_start;
  const flags = new Set(end.streams.map(deviceSends));
  if (bidir === 1 || hasReverseSums(end) || (flags.has(true) && flags.has(false))) return 'bidir';
  if (reverse === undefined) return undefined;
  return reverse === 0 ? 'upload' : 'download';
};

/** Reads from `test_start`, and from the sums where that says too little (3.7 to 3.12 do not mention `--bidir`). */
export const ownWords = (output: Iperf3Output): OwnWords => {
  const named = output.start.test_start.protocol;
  const protocol = named === undefined ? protocolOfSums(output.end) : PROTOCOLS.get(named);
  const foreign = protocol === undefined ? named : undefined;
  return { protocol, direction: directionIn(output), foreign };
};

/**
 * The sums of one direction. From 3.7 to 3.10.1 the sums of the two directions of `--bidir` have the same keys, so that only one is left:
 * there only the streams tell which numbers belong to which direction.
 */
export const directionSums = (output: Iperf3Output, direction: Direction, bidir: boolean): DirectionSums => {
  const { end, start } = output;
  const common = {
    device_sends: direction === 'upload',
    seconds: (end.sum_received ?? end.sum)?.seconds,
    expected_streams: start.test_start.num_streams,
  };
  if (!bidir) {
    return {
      ...common,
      received: end.sum_received,
      sent: end.sum_sent,
      combined: end.sum,
      streams: end.streams,
    };
  }
  const streams = end.streams.filter((stream) => deviceSends(stream) === common.device_sends);
  if (!hasReverseSums(end)) return { ...common, received: undefined, sent: undefined, combined: undefined, streams };
  return direction === 'upload'
    ? { ...common, received: end.sum_received, sent: end.sum_sent, combined: end.sum, streams }
    : {
        ...common,
        received: end.sum_received_bidir_reverse,
        sent: end.sum_sent_bidir_reverse,
        combined: end.sum_bidir_reverse,
        streams,
      };
};

/** Whether all streams of the direction are there: a sum over some of them would be too small. */
export const allStreams = ({ streams, expected_streams }: DirectionSums): boolean =>
  streams.length > 0 && (expected_streams === undefined || streams.length === expected_streams);
