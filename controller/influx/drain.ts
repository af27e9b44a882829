import type { Clock } from '../../broker/clock.ts';
import type { Outbox, OutboxRow } from '../store/outbox.ts';
import type { InfluxWriter } from './writer.ts';

const MAX_BATCH = 1000;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

/** `stop()` waits this long for a write that is under way. */
const STOP_MS = 5000;

export interface DrainStatus {
  waiting: number;
  rejected: number;
  /** Null while all is well. */
  last_error: string | null;
  /** Wall clock; null before the first. */
  last_success_ms: number | null;
}

export interface DrainParts {
  outbox: Outbox;
  writer: InfluxWriter;
  clock: Clock;
  /** From 0 up to 1. */
  random: () => number;
  log: { info(message: string): void; warn(message: string): void };
}

/** How long to wait after the n-th failure in a row: doubling from 1 s to 60 s, then anything between half of it and all. */
const retryDelayMs = (failures: number, random: () => number): number =>
  Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)) * (0.5 + random() / 2);

/**
 * Carries the outbox to InfluxDB, oldest first, one batch at a time.
 *
 * - `idle` until rows arrive (`kick`).
 * - `writing` one batch. Taken: its rows are deleted, go on with twice as many. Refused: go on with the first half; a single point that
 *   is refused is set aside, and so is a batch of which InfluxDB says that it refuses all. So one bad point costs some 30 requests.
 * - `waiting` after anything else that failed, longer each time; rows that arrive meanwhile do not cut it short.
 *
 * A row is deleted only after InfluxDB has taken it: whatever is killed when, it is written at least once, and the same point
 * written twice is one point.
 */
export class OutboxDrain {
  readonly #parts: DrainParts;
  #running: Promise<void> | null = null;
  #stopped = false;
  /** Rows arrived since the outbox was last looked at. */
  #kicked = false;
  #idle = false;
  #wake: () => void = () => {};
  #batch = MAX_BATCH;
  /** The page after the one that was just taken; empty when it was not read yet. */
  #ahead: OutboxRow[] = [];
  #failures = 0;
  #last_error: string | null = null;
  #last_success_ms: number | null = null;
  #last_warning = '';

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** To be called after rows were committed. */
  kick(): void {
    this.#kicked = true;
    if (this.#idle) this.#wake();
  }

  /** Resolves at the latest after STOP_MS; a write still under way then is repeated after the next start. Not to be started again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    const { clock } = this.#parts;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(STOP_MS, resolve);
      void Promise.resolve(this.#running).then(() => {
        cancel();
        resolve();
      });
    });
  }

  status(): DrainStatus {
    return {
      ...this.#parts.outbox.counts(),
      last_error: this.#last_error,
      last_success_ms: this.#last_success_ms,
    };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const wait_ms = await this.#step();
      if (wait_ms > 0) await this.#sleep(wait_ms);
    }
  }

  /** Writes one batch. Returns how long to wait before the next, Infinity for until there is one. */
  async #step(): Promise<number> {
    const { outbox, writer } = this.#parts;
    this.#kicked = false;
    try {
      const page = this.#ahead.length > 0 ? this.#ahead : outbox.page(this.#batch);
      this.#ahead = [];
      if (page.length === 0) return Number.POSITIVE_INFINITY;
      const writing = writer.write(page.map(({ point }) => point));
      const next = await this.#readAhead(page);
      const outcome = await writing;
      if (outcome.kind === 'retry') return this.#failed(outcome.reason);
      if (outcome.kind === 'ok') {
        outbox.done(page.map(({ id }) => id));
        this.#ahead = next;
        this.#batch = Math.min(MAX_BATCH, this.#batch * 2);
        this.#last_success_ms = this.#parts.clock.wall();
      } else if (page.length > 1 && outcome.refused !== page.length) {
        this.#batch = Math.floor(page.length / 2);
      } else {
        outbox.reject(
          page.map(({ id }) => id),
          outcome.reason,
        );
        this.#warn(`InfluxDB refuses a point, it was set aside: ${outcome.reason}`);
      }
      this.#recovered();
      return 0;
    } catch (error) {
      return this.#failed(String(error));
    }
  }

  /** What comes after a full page, read while InfluxDB is busy with that one. */
  async #readAhead(page: readonly OutboxRow[]): Promise<OutboxRow[]> {
    const last = page.at(-1);
    if (page.length < MAX_BATCH || last === undefined) return [];
    // The request leaves when the event loop gets its turn.
    await new Promise(setImmediate);
    return this.#parts.outbox.page(MAX_BATCH, last.id);
  }

  #failed(reason: string): number {
    this.#failures += 1;
    this.#last_error = reason;
    this.#warn(`Points wait for InfluxDB, trying again: ${reason}`);
    return retryDelayMs(this.#failures, this.#parts.random);
  }

  #recovered(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#last_error = null;
    this.#last_warning = '';
    this.#parts.log.info('Points flow to InfluxDB again');
  }

  /** Hours without InfluxDB are one line in the log. */
  #warn(message: string): void {
    if (message !== this.#last_warning) this.#parts.log.warn(message);
    this.#last_warning = message;
  }

  /** Until `ms` have passed, or for Infinity until rows arrive; in any case until `stop`. */
  async #sleep(ms: number): Promise<void> {
    this.#idle = ms === Number.POSITIVE_INFINITY;
    if (this.#stopped || (this.#idle && this.#kicked)) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#idle ? () => {} : this.#parts.clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#idle = false;
  }
}
