import { ManualClock } from './manual-clock.ts';

/** A manual clock whose wall clock can be set. */
export class JumpingClock extends ManualClock {
  #offset = 0;

  override wall(): number {
    return super.wall() + this.#offset;
  }

  /** The wall clock is set ahead by `ms`, or back when that is below zero; monotonic time goes on as before. */
  jump(ms: number): void {
    this.#offset += ms;
  }
}
