import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../broker/clock.ts';
import { WAN_LOOK_MS } from '../../../broker/contract/numbers.ts';
import type { WanTraffic } from '../../core/io.ts';
import { findWanInterface } from './wan-interface.ts';

/** What went over the WAN, or why that is not known. */
export type Seen = { wan: WanTraffic } | { problem: string };

/** Bytes since the interface came up. */
export interface Counters {
  received: number;
  sent: number;
}

/** The counters of an interface in the text of /proc/net/dev: `name: received …7 columns… sent …`; null when it is not there. */
export const countersIn = (text: string, name: string): Counters | null => {
  for (const line of text.split('\n')) {
    const colon = line.lastIndexOf(':');
    if (colon < 0 || line.slice(0, colon).trim() !== name) continue;
    const columns = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/);
    const counters = { received: Number(columns[0]), sent: Number(columns[8]) };
    return Number.isFinite(counters.received) && Number.isFinite(counters.sent) ? counters : null;
  }
  return null;
};

const readCounters = (folder: string, name: string): Counters | null => {
  try {
    return countersIn(readFileSync(join(folder, 'dev'), 'utf8'), name);
  } catch {
    return null;
  }
};

/** Between two looks, both ways; null when counters went back: a new interface of the same name, or 32 bits that wrapped. */
const bytesBetween = (before: Counters, after: Counters): number | null => {
  const received = after.received - before.received;
  const sent = after.sent - before.sent;
  return received < 0 || sent < 0 ? null : received + sent;
};

/** What a look at the counters, and another one `elapsed_ms` later, come to. */
export const trafficOf = (name: string, before: Counters, after: Counters | null, elapsed_ms: number): Seen => {
  if (after === null) return { problem: `interface ${name} went away while it was watched` };
  const bytes = bytesBetween(before, after);
  if (bytes === null) return { problem: `the byte counters of ${name} went back while they were watched` };
  return { wan: { interface: name, bits_per_second: Math.round((8000 * bytes) / elapsed_ms) } };
};

/**
 * Looks at the counters of an interface, null for that of the default route. The returned function looks again: how many bytes went over it
 * since, both ways; null when that can't be known. `folder` as below.
 */
export const countWan = (wanted: string | null, folder: string): (() => number | null) => {
  const name = wanted ?? findWanInterface(folder);
  const before = name === null ? null : readCounters(folder, name);
  return () => {
    const after = name === null || before === null ? null : readCounters(folder, name);
    return before === null || after === null ? null : bytesBetween(before, after);
  };
};

/**
 * Watches the bytes of an interface, null for that of the default route, for WAN_LOOK_MS and calls `onSeen` once, never before it returns.
 * The returned function ends it without a call. `folder` is /proc/net: the counters of the network namespace that this process is in.
 */
export const watchWan = (
  wanted: string | null,
  folder: string,
  clock: Clock,
  onSeen: (seen: Seen) => void,
): (() => void) => {
  const name = wanted ?? findWanInterface(folder);
  const before = name === null ? null : readCounters(folder, name);
  const begin = clock.now();
  if (name === null || before === null) {
    const problem = name === null ? 'there is no default route' : `there is no interface ${name} with byte counters`;
    return clock.after(0, () => onSeen({ problem }));
  }
  return clock.after(WAN_LOOK_MS, () =>
    onSeen(trafficOf(name, before, readCounters(folder, name), clock.now() - begin)),
  );
};
