import { Duplex } from 'node:stream';
import { MAX_ANONYMOUS_BYTES, MAX_PAYLOAD_BYTES } from './contract/numbers.ts';
import { OVERSIZED, PacketBorders } from './packet-borders.ts';

/** Room for topic and packet id beside the largest payload: the longest topic of the contract has 169 bytes. */
const HEADER_ROOM_BYTES = 1024;

/**
 * A connection as the broker's parser sees it. Aedes has no limit on the size of packets, so this stands before its parser: until
 * `release()` only the first packet passes, of at most MAX_ANONYMOUS_BYTES, and the rest waits in the socket; after it packets
 * of at most MAX_PAYLOAD_BYTES and their header. A larger one calls `onOversized` and cuts the connection.
 */
export class GuardedConnection extends Duplex {
  readonly #inner: Duplex;
  readonly #onOversized: () => void;
  readonly #borders = new PacketBorders();
  #state: 'first-packet' | 'held' | 'released' = 'first-packet';
  #held: Buffer = Buffer.alloc(0);

  constructor(inner: Duplex, onOversized: () => void) {
    super();
    this.#inner = inner;
    this.#onOversized = onOversized;
    inner.on('data', (chunk: Buffer) => this.#receive(chunk));
    inner.on('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    inner.on('close', () => this.destroy());
  }

  /** The client is known: lets everything through that waited. */
  release(): void {
    this.#state = 'released';
    this.#receive(this.#held);
    if (!this.destroyed) this.#inner.resume();
  }

  #receive(chunk: Buffer): void {
    const limit = this.#state === 'released' ? MAX_PAYLOAD_BYTES + HEADER_ROOM_BYTES : MAX_ANONYMOUS_BYTES;
    let at = 0;
    while (at < chunk.length) {
      at = this.#borders.advance(chunk, at, limit);
      if (at === OVERSIZED) {
        this.#onOversized();
        this.destroy();
        return;
      }
      if (this.#state === 'first-packet' && this.#borders.atBorder) {
        this.#state = 'held';
        this.#held = chunk.subarray(at);
        this.#inner.pause();
        this.push(chunk.subarray(0, at));
        return;
      }
    }
    if (!this.push(chunk)) this.#inner.pause();
  }

  override _read(): void {
    if (this.#state !== 'held') this.#inner.resume();
  }

  /** The parts of one MQTT packet leave together, in one segment. */
  override _writev(parts: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#inner.write(Buffer.concat(parts.map(({ chunk }) => chunk)), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }
}
