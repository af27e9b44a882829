/** What `PacketBorders.advance` returns when a packet declares more than the limit, or a length that MQTT does not know. */
export const OVERSIZED = -1;

/**
 * Finds where MQTT packets end in a stream of bytes, without keeping any of them: a packet that is too large is known
 * from the length that its first bytes declare, before a parser would begin to collect it (MQTT 3.1.1, section 2.2).
 *
 * States: before the type byte, in the length (1 to 4 bytes, 7 bits each), in the body with `#left` bytes to go.
 */
export class PacketBorders {
  #state: 'type' | 'length' | 'body' = 'type';
  #left = 0;
  #scale = 1;

  /** True between two packets. */
  get atBorder(): boolean {
    return this.#state === 'type';
  }

  /**
   * Moves on from index `at` of `chunk` to the end of the packet or of the chunk, whichever comes first, and returns that index;
   * OVERSIZED if the packet's remaining length is over `limit` bytes.
   */
  advance(chunk: Uint8Array, at: number, limit: number): number {
    let next = at;
    while (next < chunk.length) {
      if (this.#state === 'body') {
        const taken = Math.min(this.#left, chunk.length - next);
        this.#left -= taken;
        next += taken;
      } else {
        const byte = chunk[next++] as number;
        if (this.#state === 'type') {
          this.#state = 'length';
          this.#left = 0;
          this.#scale = 1;
          continue;
        }
        this.#left += (byte & 0x7f) * this.#scale;
        this.#scale *= 128;
        if (this.#left > limit) return OVERSIZED;
        if (byte >= 0x80) {
          if (this.#scale === 128 ** 4) return OVERSIZED;
          continue;
        }
        this.#state = 'body';
      }
      if (this.#left === 0) {
        this.#state = 'type';
        return next;
      }
    }
    return next;
  }
}
