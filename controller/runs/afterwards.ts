import type { Clock } from '../../broker/clock.ts';

/** A message to a device takes this many turns of the event loop at most, through MQTT.js and the embedded broker, to its socket. */
const TURNS = 10;

const afterTurns = (turns: number, then: () => void): void => {
  setImmediate(() => (turns === 1 ? then() : afterTurns(turns - 1, then)));
};

interface Piece {
  /** Does all of it, or a part: whether that was all. */
  work: () => boolean;
  due: number;
}

/**
 * Work that can wait until what was just sent is on its way: messages leave only when the event loop gets its turn, and a commit to
 * disk keeps it from that for milliseconds, in which an iperf3 server would be idle. First in, first out.
 */
export class Afterwards {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #queue: Piece[] = [];
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
    this.#add(() => {
      work();
      return true;
    }, rest_ms);
  }

  /**
   * For things that are done several at a time: returns what adds one to the queue. Those that stand there one behind the other are given to
   * `some` together. It does the first, and as many more as it likes, and says how many; the others are left for another turn.
   */
  several<T>(some: (things: readonly T[]) => number): (thing: T) => void {
    let last: { piece: Piece; things: T[] } | null = null;
    return (thing) => {
      if (last !== null && this.#queue.at(-1) === last.piece) {
        last.things.push(thing);
        return;
      }
      const things = [thing];
      const work = () => {
        things.splice(0, some(things));
        return things.length === 0;
      };
      last = { piece: this.#add(work, 0), things };
    };
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

  #add(work: Piece['work'], rest_ms: number): Piece {
    const piece = { work, due: this.#clock.now() + rest_ms };
    this.#queue.push(piece);
    this.#schedule();
    return piece;
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
    const piece = this.#queue.shift();
    try {
      if (piece?.work() === false) this.#queue.unshift(piece);
    } catch (error) {
      this.#onError(error);
    }
  }
}
