/** What happens at a moment, to whom, and a stamp by which the reader knows whether it still counts. */
export interface Happening {
  at: number;
  what: number;
  who: number;
  stamp: number;
}

/** Four children a node: half as deep as a binary heap, and siblings lie beside each other. */
const ARITY = 4;

/**
 * Simulated events in the order of their time, in typed arrays: nothing is allocated per event. What happens at the same moment comes in
 * an order that is always the same, but not first in, first out.
 */
export class NightQueue {
  #at = new Float64Array(1024);
  #what = new Uint8Array(1024);
  #who = new Int32Array(1024);
  #stamp = new Int32Array(1024);
  #size = 0;
  readonly #top: Happening = { at: 0, what: 0, who: 0, stamp: 0 };
  /** How many events were taken out so far. */
  taken = 0;

  get size(): number {
    return this.#size;
  }

  /** When the next one happens; Infinity when there is none. */
  get next_at(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#at[0] ?? 0);
  }

  add(moment: number, what: number, who: number, stamp: number): void {
    if (this.#size === this.#at.length) this.#grow();
    let index = this.#size;
    this.#size += 1;
    while (index > 0) {
      const parent = (index - 1) >> 2;
      if ((this.#at[parent] ?? 0) <= moment) break;
      this.#copy(parent, index);
      index = parent;
    }
    this.#set(index, moment, what, who, stamp);
  }

  /** Takes the next one out, which there must be. The same object comes each time. */
  take(): Happening {
    const top = this.#top;
    top.at = this.#at[0] ?? 0;
    top.what = this.#what[0] ?? 0;
    top.who = this.#who[0] ?? 0;
    top.stamp = this.#stamp[0] ?? 0;
    this.taken += 1;
    this.#size -= 1;
    if (this.#size > 0) this.#sink(this.#size);
    return top;
  }

  /** The last one takes the free place at the top, and goes down to where it belongs. */
  #sink(last: number): void {
    const moment = this.#at[last] ?? 0;
    let index = 0;
    for (;;) {
      const first = index * ARITY + 1;
      if (first >= this.#size) break;
      let least = first;
      const end = Math.min(first + ARITY, this.#size);
      for (let child = first + 1; child < end; child += 1)
        if ((this.#at[child] ?? 0) < (this.#at[least] ?? 0)) least = child;
      if ((this.#at[least] ?? 0) >= moment) break;
      this.#copy(least, index);
      index = least;
    }
    this.#copy(last, index);
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.#at[from] ?? 0, this.#what[from] ?? 0, this.#who[from] ?? 0, this.#stamp[from] ?? 0);
  }

  #set(index: number, moment: number, what: number, who: number, stamp: number): void {
    this.#at[index] = moment;
    this.#what[index] = what;
    this.#who[index] = who;
    this.#stamp[index] = stamp;
  }

  #grow(): void {
    const length = 2 * this.#at.length;
    const [moments, whats, whos, stamps] = [this.#at, this.#what, this.#who, this.#stamp];
    this.#at = new Float64Array(length);
    this.#what = new Uint8Array(length);
    this.#who = new Int32Array(length);
    this.#stamp = new Int32Array(length);
    this.#at.set(moments);
    this.#what.set(whats);
    this.#who.set(whos);
    this.#stamp.set(stamps);
  }
}

/** An element that is there. */
export const at = (array: { readonly [index: number]: number }, index: number): number => array[index] ?? 0;
