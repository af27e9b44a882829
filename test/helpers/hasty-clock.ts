import { type Clock, systemClock } from '../../broker/clock.ts';

interface Timer {
  at: number;
  call: () => void;
}

/** The real time, but that some of it can be skipped. For what waits long beside something real. */
export class HastyClock implements Clock {
  #skipped = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return systemClock.now() + this.#skipped;
  }

  wall(): number {
    return systemClock.wall() + this.#skipped;
  }

  after(ms: number, callback: () => void): () => void {
    const cancel = () => {
      cancelTimer();
      this.#timers.delete(timer);
    };
    const call = () => {
      cancel();
      callback();
    };
    const timer = { at: this.now() + ms, call };
    const cancelTimer = systemClock.after(ms, call);
    this.#timers.add(timer);
    return cancel;
  }

  /** It is `ms` later now. What became due is called, in order. */
  skip(ms: number): void {
    this.#skipped += ms;
    const due = [...this.#timers].filter(({ at }) => at <= this.now()).sort((a, b) => a.at - b.at);
    for (const timer of due) if (this.#timers.has(timer)) timer.call();
  }
}
