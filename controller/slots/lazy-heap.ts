import TinyQueue from 'tinyqueue';

/** One place in a heap. Who drops it leaves it where it is, dead, until it comes to the top or there are too many of them. */
export interface Entry<T> {
  readonly first: number;
  readonly second: number;
  readonly item: T;
  live: boolean;
}

const before = (a: Entry<unknown>, b: Entry<unknown>): number => a.first - b.first || a.second - b.second;

/** Fewer dead entries than this are not worth clearing up. */
const FEW = 32;

/**
 * A priority queue whose items may leave from the middle: the least `first` comes first, then the least `second`. O(log n) for each
 * operation on average, and never more than twice as many entries as items, and a few.
 */
export class LazyHeap<T> {
  #heap = new TinyQueue<Entry<T>>([], before);
  #size = 0;

  /** How many items are in. */
  get size(): number {
    return this.#size;
  }

  /** How many entries it has, dead ones too. */
  get kept(): number {
    return this.#heap.length;
  }

  push(first: number, second: number, item: T): Entry<T> {
    const entry: Entry<T> = { first, second, item, live: true };
    this.#heap.push(entry);
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
    this.#heap = new TinyQueue(
      this.#heap.data.filter(({ live }) => live),
      before,
    );
  }
}
