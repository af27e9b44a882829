import type { Clock } from '../broker/clock.ts';

/**
 * What follows a step: the next one at once; the next one when there is something to do (`idle`), at the latest after `ms` where that is given;
 * or the next one after a pause that new work does not cut short.
 */
export type Next = { kind: 'go-on' } | { kind: 'idle'; ms?: number } | { kind: 'pause'; ms: number };

const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

/** How long to wait after the n-th failure in a row: doubling from 1 s to 60 s, then anything between half of it and all. */
export const retryDelayMs = (failures: number, random: () => number): number =>
  Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)) * (0.5 + random() / 2);

/**
 * Does one thing after the other, and sleeps when there is nothing to do. `step` never rejects.
 *
 * - `idle` until it is kicked.
 * - `working`: one step at a time; a kick meanwhile is not lost.
 * - `pausing`: until the time is up; kicks do not cut it short, `wake` does.
 */
export class WorkLoop {
  readonly #clock: Clock;
  readonly #step: () => Promise<Next>;
  #running: Promise<void> | null = null;
  #stopped = false;
  /** Kicked since the last step began. */
  #kicked = false;
  /** Woken since the last step began. */
  #woken = false;
  #idle = false;
  #wake: () => void = () => {};

  constructor(clock: Clock, step: () => Promise<Next>) {
    this.#clock = clock;
    this.#step = step;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** To be called when there is something new to do. */
  kick(): void {
    this.#kicked = true;
    if (this.#idle) this.#wake();
  }

  /** Ends a pause too: what was in the way may be gone. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** No further step. Resolves when the one under way is over, at the latest after `within_ms`. Not to be started again. */
  async stop(within_ms: number): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(within_ms, resolve);
      void Promise.resolve(this.#running).then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#kicked = false;
      this.#woken = false;
      const next = await this.#step();
      if (next.kind !== 'go-on') await this.#sleep(next);
    }
  }

  async #sleep(next: Exclude<Next, { kind: 'go-on' }>): Promise<void> {
    const { ms } = next;
    this.#idle = next.kind === 'idle';
    if (this.#stopped || this.#woken || (this.#idle && this.#kicked)) return;
    await new Promise<void>((resolve) => {
      const cancel = ms === undefined ? () => {} : this.#clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#idle = false;
  }
}
