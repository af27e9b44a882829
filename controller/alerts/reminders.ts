import type { Clock } from '../../broker/clock.ts';
import type { AlertNotice } from './notice.ts';
import { REMIND_BATCH } from './receivers/receiver.ts';

/** Receivers that forget are told again so often what fires. */
const REMIND_MS = 60_000;

/**
 * What a receiver that forgets is to be told again: a round a minute through all that fires, a piece at a time. Whether or not the receiver is
 * there, a round that has begun is gone through to its end.
 */
export class Reminders {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #firing: () => Iterable<readonly AlertNotice[]>;
  #next_at: number;
  /** The rest of the round; null when it is over. */
  #round: Iterator<readonly AlertNotice[]> | null = null;
  #piece: readonly AlertNotice[] = [];

  constructor(clock: Pick<Clock, 'now'>, firing: () => Iterable<readonly AlertNotice[]>) {
    this.#clock = clock;
    this.#firing = firing;
    this.#next_at = clock.now();
  }

  /** Something is to be said. */
  get waiting(): boolean {
    return this.#piece.length > 0;
  }

  /** Until the next round. */
  get rest_ms(): number {
    return this.#next_at - this.#clock.now();
  }

  beginAnew(): void {
    this.#next_at = this.#clock.now();
    this.#round = null;
    this.#piece = [];
  }

  /** Finds what is to be said next. Between the pieces everybody else has a turn. */
  async look(): Promise<void> {
    if (!this.waiting && this.#round === null && this.rest_ms <= 0) {
      this.#round = this.#firing()[Symbol.iterator]();
      this.#next_at = this.#clock.now() + REMIND_MS;
    }
    while (!this.waiting && this.#round !== null) {
      const { value, done } = this.#round.next();
      if (done === true) this.#round = null;
      else this.#piece = value;
      await new Promise(setImmediate);
    }
  }

  batch(): readonly AlertNotice[] {
    return this.#piece.slice(0, REMIND_BATCH);
  }

  said(batch: readonly AlertNotice[]): void {
    this.#piece = this.#piece.filter((notice) => !batch.includes(notice));
  }

  /** An alert whose end may have been told: said again, it would be back. */
  forget(alert: string): void {
    this.#piece = this.#piece.filter((notice) => notice.alert !== alert);
  }
}
