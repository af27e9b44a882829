/** What agents tell the bench. `at` is this process's monotonic clock, in milliseconds. */
export interface Watcher {
  /** Right before `finished` is handed to MQTT; the server is told by its port. */
  finished(port: number, at: number): void;
  /** As a `start` arrives, the first with its token. */
  started(port: number, at: number): void;
  /** The controller has stored the result of this run. */
  accepted(run: string): void;
}

/** Notes the time from each `finished` to the next `start` for the same server. */
export class Gaps implements Watcher {
  readonly #finished = new Map<number, number>();
  readonly #accepted = new Set<string>();
  #gaps_ms: number[] = [];
  #wanted = Number.POSITIVE_INFINITY;
  #done = () => {};

  finished(port: number, at: number): void {
    this.#finished.set(port, at);
  }

  started(port: number, at: number): void {
    const since = this.#finished.get(port);
    this.#finished.delete(port);
    if (since !== undefined) this.#gaps_ms.push(at - since);
  }

  accepted(run: string): void {
    this.#accepted.add(run);
    if (this.#accepted.size >= this.#wanted) this.#done();
  }

  /** Forgets the gaps seen so far. */
  begin(): void {
    this.#gaps_ms = [];
  }

  /** The gaps since `begin()`, in milliseconds, once so many runs were measured and stored since the last call; none is under way then. */
  async take(runs: number): Promise<number[]> {
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    this.#wanted = runs;
    if (this.#accepted.size < runs) await done;
    this.#wanted = Number.POSITIVE_INFINITY;
    this.#accepted.clear();
    this.#finished.clear();
    return this.#gaps_ms;
  }
}
