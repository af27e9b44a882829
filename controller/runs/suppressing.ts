import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import {
  inForce,
  nextEnd,
  type Suppression,
  type SuppressionScope,
  sameScope,
  scopeWords,
  suppressesDevice,
} from '../schedule/suppression.ts';
import type { Slots } from '../slots/slots.ts';
import type { Store } from '../store/store.ts';
import type { Dispatcher } from './dispatcher.ts';
import { WallWatch } from './wall-watch.ts';

export interface SuppressingOptions {
  store: Store;
  slots: Slots;
  dispatcher: Dispatcher;
  clock: Clock;
  log: Log;
}

const isIn = (list: readonly Suppression[], one: Suppression): boolean =>
  list.some((other) => JSON.stringify(other) === JSON.stringify(one));

/**
 * Keeps the suppressions, and tells the slots which are in force: at the start, at each change, and when an `until` passes. Only the store and the
 * time decide that, so a clock that jumps ahead and back leaves everything as it was.
 */
export class Suppressing {
  readonly #options: SuppressingOptions;
  readonly #watch: WallWatch;
  /** As in the store. */
  #all: Suppression[] = [];
  /** What the slots were told last. */
  #told: Suppression[] = [];

  constructor(options: SuppressingOptions) {
    this.#options = options;
    this.#watch = new WallWatch(options.clock, (now_ms) => this.#look(now_ms));
  }

  /** Loads what the store has. */
  start(): void {
    this.#reload();
  }

  stop(): void {
    this.#watch.stop();
  }

  /** Those in force, the oldest first. */
  active(): Suppression[] {
    return inForce(this.#all, this.#options.clock.wall());
  }

  /** In force from now on, in place of one of the same scope. */
  suppress(suppression: Suppression): void {
    this.#options.store.suppressions.put(suppression);
    this.#reload();
  }

  lift(what: SuppressionScope): void {
    this.#options.store.suppressions.remove(what);
    this.#reload();
  }

  /**
   * Cancels the runs of this scope that hold a slot; their iperf3 ends at once. Returns how many. To be called when the scope is suppressed:
   * who is on deck then was found there after a restart, and may be running.
   */
  stopRunning(what: SuppressionScope): number {
    const { store, slots, dispatcher } = this.#options;
    const seated = slots.view().flatMap(({ server, run, on_deck }) => [
      { server, row: run === null ? null : store.runs.get(run) },
      { server, row: on_deck === null ? null : store.runs.get(on_deck.run) },
    ]);
    const running = seated.flatMap(({ server, row }) => {
      if (row === null || row.state === 'final') return [];
      const tags = store.devices.get(row.device)?.tags ?? [];
      const named = what.scope === 'server' ? what.name === server : suppressesDevice([what], { ...row, tags });
      return named ? [row] : [];
    });
    for (const row of running) dispatcher.cancel(row, 'suppressed');
    return running.length;
  }

  #reload(): void {
    this.#all = this.#options.store.suppressions.list();
    this.#watch.look();
  }

  #look(now_ms: number): number | null {
    const { dispatcher, log } = this.#options;
    const active = inForce(this.#all, now_ms);
    const begun = active.filter((one) => !isIn(this.#told, one));
    const over = this.#told.filter(({ what }) => !active.some((one) => sameScope(one.what, what)));
    this.#told = active;
    if (begun.length + over.length > 0) {
      dispatcher.handle({ type: 'suppressions', active: active.map(({ what }) => what) });
    }
    for (const { what, until_ms, reason } of begun) {
      const until = until_ms === null ? null : new Date(until_ms).toISOString();
      log.info({ what: scopeWords(what), until, reason }, 'suppressed: no new runs');
    }
    for (const { what } of over) log.info({ what: scopeWords(what) }, 'no longer suppressed');
    return nextEnd(active, now_ms);
  }
}
