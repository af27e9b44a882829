import type { AlertHistory, Metric, Timed } from '../store/alert-history.ts';
import type { FigureField } from './figure-field.ts';
import { middleOf } from './median.ts';
import type { AlertWrite } from './write.ts';

/** What a drop is measured by: the median of one figure in a span of time. */
export interface Baseline {
  metric: Metric;
  field: FigureField;
  over_ms: number;
}

/** So many values are remembered, of all devices together: some 120 MB at most. What does not fit is read each time. */
const MOST_VALUES = 4_000_000;

const isSame = (one: Metric, other: Metric): boolean =>
  one.protocol === other.protocol && one.direction === other.direction;

/** How many of the sorted numbers are less. */
const less = (sorted: readonly number[], than: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(sorted[middle]) < than) low = middle + 1;
    else high = middle;
  }
  return low;
};

const insert = (sorted: number[], value: number): void => void sorted.splice(less(sorted, value), 0, value);
const remove = (sorted: number[], value: number): void => void sorted.splice(less(sorted, value), 1);

/** The values of one device and baseline: all that the store has from `from_ms` on. */
class Window {
  readonly #baseline: Baseline;
  #from_ms: number;
  /** In the order of time. */
  readonly #times: number[];
  readonly #values: number[];
  readonly #sorted: number[];
  /** The one that was asked for last: several rules ask for the same. */
  #median: { before_ms: number; value: number | null } | null = null;

  constructor(baseline: Baseline, from_ms: number, stored: readonly Timed[]) {
    this.#baseline = baseline;
    this.#from_ms = from_ms;
    this.#times = stored.map(({ time_ms }) => time_ms);
    this.#values = stored.map(({ value }) => value);
    this.#sorted = this.#values.slice().sort((a, b) => a - b);
  }

  get size(): number {
    return this.#times.length;
  }

  isOf({ metric, field, over_ms }: Baseline): boolean {
    const own = this.#baseline;
    return isSame(own.metric, metric) && own.field === field && own.over_ms === over_ms;
  }

  reachesBackTo(time_ms: number): boolean {
    return this.#from_ms <= time_ms;
  }

  add({ measurement, time_ms }: AlertWrite['measurements'][number]): void {
    const { metric, field } = this.#baseline;
    const value = measurement[field];
    if (value === undefined || !isSame(measurement, metric)) return;
    const index = less(this.#times, time_ms);
    this.#times.splice(index, 0, time_ms);
    this.#values.splice(index, 0, value);
    insert(this.#sorted, value);
    this.#median = null;
  }

  /** Forgets what is too old for it. */
  median(before_ms: number): number | null {
    if (this.#median?.before_ms !== before_ms) this.#median = { before_ms, value: this.#middle(before_ms) };
    return this.#median.value;
  }

  #middle(before_ms: number): number | null {
    this.#from_ms = before_ms - this.#baseline.over_ms;
    const gone = less(this.#times, this.#from_ms);
    this.#times.splice(0, gone);
    for (const value of this.#values.splice(0, gone)) remove(this.#sorted, value);
    const sorted = [...this.#sorted];
    for (const newer of this.#values.slice(less(this.#times, before_ms))) remove(sorted, newer);
    return middleOf(sorted);
  }
}

interface DeviceWindows {
  windows: readonly Window[];
  /** The end of the window that was asked for last. */
  used_ms: number;
}

const sizeOf = (windows: readonly Window[]): number => windows.reduce((sum, { size }) => sum + size, 0);

/**
 * What is usual for a device: medians of what it really measured in the time before. They are exactly those of what is stored, whatever comes
 * late, twice or in another order. The values are read once after a start (14 days of hourly runs take some milliseconds), and from then on
 * each one that is stored is added. What reaches further back than what is remembered is read anew; so is, each time, what may have been
 * pruned from the store.
 */
export class Usual {
  readonly #history: Pick<AlertHistory, 'values'>;
  readonly #prunedBefore: () => number;
  readonly #most: number;
  /** Whose was used last comes last. */
  readonly #devices = new Map<string, DeviceWindows>();
  #size = 0;

  /** Runs that ended before `prunedBefore()` may be gone from the store. */
  constructor(history: Pick<AlertHistory, 'values'>, prunedBefore: () => number, most = MOST_VALUES) {
    this.#history = history;
    this.#prunedBefore = prunedBefore;
    this.#most = most;
  }

  /** To be called with each write that is stored, once, before a median is asked for in its transaction. */
  add({ device, measurements }: Pick<AlertWrite, 'device' | 'measurements'>): void {
    const known = this.#devices.get(device);
    if (known === undefined) return;
    this.#size -= sizeOf(known.windows);
    for (const window of known.windows) for (const one of measurements) window.add(one);
    this.#size += sizeOf(known.windows);
  }

  /** Of the values before `before_ms`; null when there are too few. */
  median(device: string, baseline: Baseline, before_ms: number): number | null {
    const from_ms = before_ms - baseline.over_ms;
    if (from_ms < this.#prunedBefore()) return this.#read(device, baseline, from_ms).median(before_ms);
    const windows = this.#devices.get(device)?.windows ?? [];
    this.forget(device);
    const known = windows.find((one) => one.isOf(baseline));
    const window = known?.reachesBackTo(from_ms) ? known : this.#read(device, baseline, from_ms);
    const median = window.median(before_ms);
    const all = window === known ? windows : [...windows.filter((one) => one !== known), window];
    this.#keep(device, { windows: all, used_ms: before_ms }, from_ms);
    return median;
  }

  forget(device: string): void {
    this.#size -= sizeOf(this.#devices.get(device)?.windows ?? []);
    this.#devices.delete(device);
  }

  /** Where there is no room, devices make some that have not been measured since `unused_ms`. */
  #keep(device: string, known: DeviceWindows, unused_ms: number): void {
    const room = () => this.#most - this.#size - sizeOf(known.windows);
    for (const [name, { used_ms }] of this.#devices) {
      if (room() >= 0 || used_ms >= unused_ms) break;
      this.forget(name);
    }
    if (room() < 0) return;
    this.#devices.set(device, known);
    this.#size += sizeOf(known.windows);
  }

  #read(device: string, baseline: Baseline, from_ms: number): Window {
    return new Window(baseline, from_ms, this.#history.values(device, baseline.metric, baseline.field, from_ms));
  }
}
