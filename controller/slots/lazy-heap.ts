import FlatQueue from 'flatqueue';

/** One place in a heap. Who drops it leaves it where it is, dead, until it comes to the top or there are too many of them. */
export interface Entry<T> {
  readonly key: number;
  readonly item: T;
  live: boolean;
}

/** Fewer dead entries than this are not worth clearing up. */
const FEW = 32;

/**
 * A priority queue whose items may leave from the middle: the least key comes first. O(log n) for each operation on average, and never
 * more than twice as many entries as items, and a few. The keys lie beside each other in memory: in a heap of a million entries it is
 * looking them up that takes the time.
 */
export class LazyHeap<T> {
  #heap = new FlatQueue<Entry<T>>();
  #size = 0;

  /** How many items are in. */
  get size(): number {
    return this.#size;
  }

  /** How many entries it has, dead ones too. */
  get kept(): number {
    return this.#heap.length;
  }

  push(key: number, item: T): Entry<T> {
    const entry: Entry<T> = { key, item, live: true };
    this.#heap.push(entry, key);
    this.#size += 1;
    return entry;
  }

  /** The first one that is still in. */
  peek(): Entry<T> | undefined {
    let head = this.#heap.peek();
    while (head !== undefined && !head.live) {
      this.#heap.pop();
      head = this.#heap.peek();
    }
    return head;
  }

  /** Takes out an entry that is in; each at most once. */
  drop(entry: Entry<T>): void {
    entry.live = false;
    this.#size -= 1;
    if (this.#heap.length <= 2 * this.#size + FEW) return;
    const { ids, length } = this.#heap;
    this.#heap = new FlatQueue();
    for (const kept of ids.slice(0, length)) if (kept.live) this.#heap.push(kept, kept.key);
  }
}
