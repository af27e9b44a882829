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
  readonly #onError: (error: unknown) => void;
  readonly #queue: (() => void)[] = [];
  #scheduled = false;

  /** `onError` gets what a piece of work throws; the next one is done all the same. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  add(work: () => void): void {
    this.#queue.push(work);
    this.#schedule();
  }

  /** Does what is left, now. */
  flush(): void {
    while (!this.isEmpty) this.#doNext();
  }

  #schedule(): void {
    if (this.#scheduled || this.isEmpty) return;
    this.#scheduled = true;
    afterTurns(TURNS, () => {
      this.#scheduled = false;
      this.#doNext();
      this.#schedule();
    });
  }

  #doNext(): void {
    try {
      this.#queue.shift()?.();
    } catch (error) {
      this.#onError(error);
    }
  }
}
