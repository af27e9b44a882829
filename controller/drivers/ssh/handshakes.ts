/** dropbear resets all but five connections of one source that have not logged in yet; one is left for a person. */
const MOST_PER_ADDRESS = 4;

/** A handshake costs this process about 80 ms of computing. */
const MOST_IN_ALL = 32;

interface Waiting {
  address: string;
  enter: () => void;
}

/** How many handshakes may be under way at once: 4 with one address, 32 in all. The others wait, first come, first served. */
export class Handshakes {
  readonly #busy = new Map<string, number>();
  #total = 0;
  #waiting: Waiting[] = [];

  /** Resolves, when it is this one's turn, with how to end it. Rejects with the signal's reason when that is aborted before. */
  enter(address: string, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const give_up = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason);
      };
      const waiting = {
        address,
        enter: () => {
          signal.removeEventListener('abort', give_up);
          resolve(() => this.#leave(address));
        },
      };
      if (signal.aborted) return give_up();
      signal.addEventListener('abort', give_up, { once: true });
      this.#waiting.push(waiting);
      this.#admit();
    });
  }

  #leave(address: string): void {
    const left = (this.#busy.get(address) ?? 0) - 1;
    if (left > 0) this.#busy.set(address, left);
    else this.#busy.delete(address);
    this.#total -= 1;
    this.#admit();
  }

  #admit(): void {
    this.#waiting = this.#waiting.filter(({ address, enter }) => {
      const busy = this.#busy.get(address) ?? 0;
      if (this.#total >= MOST_IN_ALL || busy >= MOST_PER_ADDRESS) return true;
      this.#busy.set(address, busy + 1);
      this.#total += 1;
      enter();
      return false;
    });
  }
}
