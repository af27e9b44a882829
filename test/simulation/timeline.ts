interface Entry {
  at: number;
  order: number;
  action: () => void;
  live: boolean;
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Simulated time, in milliseconds. Nothing happens between two actions. */
export class Timeline {
  now = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  /** Calls `action` once after `ms`, unless the returned function is called first. */
  after(ms: number, action: () => void): () => void {
    const entry: Entry = { at: this.now + Math.max(0, ms), order: this.#order, action, live: true };
    this.#order += 1;
    this.#push(entry);
    return () => {
      entry.live = false;
    };
  }

  /** Does everything that is due up to `end`, in order. */
  runUntil(end: number): void {
    for (let entry = this.#heap[0]; entry !== undefined && entry.at <= end; entry = this.#heap[0]) {
      this.#pop();
      if (!entry.live) continue;
      this.now = entry.at;
      entry.action();
    }
    this.now = end;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      let least = left;
      if (right !== undefined && isBefore(right, left)) {
        child += 1;
        least = right;
      }
      if (!isBefore(least, last)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
  }
}
