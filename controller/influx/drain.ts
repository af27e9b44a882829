import type { Clock } from '../../broker/clock.ts';
import type { Outbox, OutboxRow } from '../store/outbox.ts';
import { type Next, retryDelayMs, WorkLoop } from '../work-loop.ts';
import type { InfluxWriter } from './writer.ts';

const MAX_BATCH = 1000;

/** So many rows are read without a pause, while InfluxDB is busy: a millisecond. */
const BIT = 100;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

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
  readonly #loop: WorkLoop;
  #batch = MAX_BATCH;
  /** The page after the one that was just taken; empty when it was not read yet. */
  #ahead: OutboxRow[] = [];
  /** InfluxDB has taken everything up to this one. It is deleted when InfluxDB is busy with the next page; null when it is already. */
  #taken: number | null = null;
  #stopping = false;
  #failures = 0;
  #last_error: string | null = null;
  #last_success_ms: number | null = null;
  #last_warning = '';

  constructor(parts: DrainParts) {
    this.#parts = parts;
    this.#loop = new WorkLoop(parts.clock, () => this.#step());
  }

  start(): void {
    this.#loop.start();
  }

  /** To be called after rows were committed. */
  kick(): void {
    this.#loop.kick();
  }

  /** Resolves at the latest after STOP_MS; a write still under way then is repeated after the next start. Not to be started again. */
  stop(): Promise<void> {
    this.#stopping = true;
    return this.#loop.stop(STOP_MS);
  }

  status(): DrainStatus {
    return {
      ...this.#parts.outbox.counts(),
      last_error: this.#last_error,
      last_success_ms: this.#last_success_ms,
    };
  }

  /** Writes one batch. */
  async #step(): Promise<Next> {
    const { outbox, writer } = this.#parts;
    try {
      const page = this.#ahead.length > 0 ? this.#ahead : outbox.page(this.#batch);
      this.#ahead = [];
      const last = page.at(-1);
      if (last === undefined) return { kind: 'idle' };
      const writing = writer.write(page.map(({ point }) => point));
      const next = await this.#meanwhile(page.length, last.id);
      const outcome = await writing;
      if (outcome.kind === 'retry') return this.#failed(outcome.reason);
      if (outcome.kind === 'ok') {
        this.#taken = last.id;
        this.#ahead = next;
        if (next.length === 0 || this.#stopping) this.#deleteTaken();
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
      return { kind: 'go-on' };
    } catch (error) {
      return this.#failed(String(error));
    }
  }

  /**
   * What needs no answer, while InfluxDB is busy with a page: the one before it is deleted, and the one after a full one read. Bit by bit: a
   * request leaves, and everything else goes on, when the event loop gets its turn.
   */
  async #meanwhile(length: number, last: number): Promise<OutboxRow[]> {
    await turn();
    this.#deleteTaken();
    const next: OutboxRow[] = [];
    let [after, isFull] = [last, length === MAX_BATCH];
    while (isFull && next.length < MAX_BATCH) {
      await turn();
      const bit = this.#parts.outbox.page(BIT, after);
      isFull = bit.length === BIT;
      for (const row of bit) {
        next.push(row);
        after = row.id;
      }
    }
    return next;
  }

  #deleteTaken(): void {
    if (this.#taken !== null) this.#parts.outbox.done(this.#taken);
    this.#taken = null;
  }

  #failed(reason: string): Next {
    this.#failures += 1;
    this.#last_error = reason;
    this.#warn(`Points wait for InfluxDB, trying again: ${reason}`);
    return { kind: 'pause', ms: retryDelayMs(this.#failures, this.#parts.random) };
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
}
