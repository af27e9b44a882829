import type { Clock } from '../../broker/clock.ts';

/** The wall clock is looked at this often at least: it may jump. */
const LOOK_MS = 60_000;

/**
 * Calls `look` with the wall clock's time: at the start, when asked to, at the moment that `look` names as the next one that matters, and at
 * least every minute. So what depends on the wall clock is right again a minute after a jump at the latest.
 */
export class WallWatch {
  readonly #clock: Clock;
  readonly #look: (now_ms: number) => number | null;
  #cancel = () => {};

  constructor(clock: Clock, look: (now_ms: number) => number | null) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Looks now, and from here on by itself. */
  look(): void {
    this.#cancel();
    const now_ms = this.#clock.wall();
    const next_ms = this.#look(now_ms) ?? Number.POSITIVE_INFINITY;
    this.#cancel = this.#clock.after(Math.min(next_ms - now_ms, LOOK_MS), () => this.look());
  }

  stop(): void {
    this.#cancel();
  }
}
