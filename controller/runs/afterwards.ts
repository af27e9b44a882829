import type { Clock } from '../../broker/clock.ts';

/** A message to a device takes this many turns of the event loop at most, through MQTT.js and the embedded broker, to its socket. */
const TURNS = 10;

const afterTurns = (turns: number, then: () => void): void => {
  setImmediate(() => (turns === 1 ? then() : afterTurns(turns - 1, then)));
};

/**
 * Work that can wait until what was just sent is on its way: messages leave only when the event loop gets its turn, and a commit to
 * disk keeps it from that for milliseconds, in which an iperf3 server would be idle. First in, first out.
 */
export class Afterwards {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #queue: { work: () => void; due: number }[] = [];
  #scheduled = false;
  /** Ends the wait for the rest of the first piece; null when nothing rests. */
  #endRest: (() => void) | null = null;

  /** `onError` gets what a piece of work throws; the next one is done all the same. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Work that is not begun before `rest_ms` have passed; nor is what is added after it. */
  add(work: () => void, rest_ms = 0): void {
    this.#queue.push({ work, due: this.#clock.now() + rest_ms });
    this.#schedule();
  }

  /** What is in the queue rests no longer: somebody waits for it. */
  hurry(): void {
    for (const piece of this.#queue) piece.due = Number.NEGATIVE_INFINITY;
    this.#wake();
    this.#schedule();
  }

  /** Does what is left, now. */
  flush(): void {
    while (!this.isEmpty) this.#doNext();
    this.#wake();
  }

  #wake(): void {
    if (this.#endRest === null) return;
    this.#endRest();
    this.#endRest = null;
    this.#scheduled = false;
  }

  #schedule(): void {
    const next = this.#queue[0];
    if (this.#scheduled || next === undefined) return;
    this.#scheduled = true;
    const rest_ms = next.due - this.#clock.now();
    if (rest_ms > 0) this.#endRest = this.#clock.after(rest_ms, () => this.#takeTurns());
    else this.#takeTurns();
  }

  #takeTurns(): void {
    this.#endRest = null;
    afterTurns(TURNS, () => {
      this.#scheduled = false;
      this.#doNext();
      this.#schedule();
    });
  }

  #doNext(): void {
    try {
      this.#queue.shift()?.work();
    } catch (error) {
      this.#onError(error);
    }
  }
}
