/**
 * Work that can wait until what was just sent is on its way: messages leave only when the event loop gets its turn, and a commit to
 * disk keeps it from that for milliseconds, in which an iperf3 server would be idle. First in, first out, one piece a turn.
 */
export class Afterwards {
  readonly #queue: (() => void)[] = [];
  #scheduled = false;

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  add(work: () => void): void {
    this.#queue.push(work);
    this.#schedule();
  }

  /** Does what is left, now. */
  flush(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
  }

  #schedule(): void {
    if (this.#scheduled || this.isEmpty) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#queue.shift()?.();
      this.#schedule();
    });
  }
}
