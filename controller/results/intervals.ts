/** What one stream did in one interval; a part that is absent or has another type is undefined. */
export interface IntervalStream {
  seconds: number | undefined;
  bytes: number | undefined;
  retransmits: number | undefined;
  jitter_ms: number | undefined;
  lost_packets: number | undefined;
  packets: number | undefined;
  /** Whether the device sends. */
  sender: boolean | undefined;
  omitted: boolean | undefined;
}

/** Twice iperf3's own limit of 128 streams, for the two directions. What is beyond is not read. */
export const MAX_STREAMS = 256;

/** What `readIntervals` reads, beside the keys of the sums at the end. */
export const INTERVAL_KEYS: readonly string[] = ['streams', 'sum', 'omitted'];

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const figure = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const flag = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined);

const readStream = (value: unknown): IntervalStream => {
  const { seconds, bytes, retransmits, jitter_ms, lost_packets, packets, sender, omitted } = membersOf(value);
  return {
    seconds: figure(seconds),
    bytes: figure(bytes),
    retransmits: figure(retransmits),
    jitter_ms: figure(jitter_ms),
    lost_packets: figure(lost_packets),
    packets: figure(packets),
    sender: flag(sender),
    omitted: flag(omitted),
  };
};

/**
 * The streams of each of an output's intervals; one that is no interval has none. Read by hand: a text may hold tens of thousands of them,
 * and a schema takes longer for those than all the rest of the text.
 */
export const readIntervals = ({ intervals }: { intervals: readonly unknown[] }): IntervalStream[][] =>
  intervals.map((interval) => {
    const { streams } = membersOf(interval);
    return Array.isArray(streams) ? streams.slice(0, MAX_STREAMS).map(readStream) : [];
  });

/** Most intervals say at once that they count, by their sum: then their streams need no look. */
const mayBeOmitted = (interval: unknown): boolean => membersOf(membersOf(interval)['sum'])['omitted'] !== false;

/** What each stream did in each of the omitted seconds, which the sums at the end leave out. */
export const omittedStreams = ({ intervals }: { intervals: readonly unknown[] }): IntervalStream[] =>
  readIntervals({ intervals: intervals.filter(mayBeOmitted) })
    .flat()
    .filter(({ omitted }) => omitted === true);
