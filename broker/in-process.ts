import { Duplex } from 'node:stream';

/** One end of a connection inside the process: what is written here is read at the other end, with back pressure. */
class End extends Duplex {
  /** Null until both ends exist. */
  peer: End | null = null;
  #written: (() => void) | null = null;

  override _read(): void {
    const written = this.#written;
    this.#written = null;
    written?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.peer?.deliver(chunk, done);
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  /** Takes a chunk from the peer, which goes on writing when it was read. */
  deliver(chunk: Buffer, done: () => void): void {
    this.#written = done;
    this.push(chunk);
  }
}

/** Two ends of one connection. When one is destroyed, so is the other. (Node has `duplexPair` only since 20.17.) */
export const connectionInProcess = (): [Duplex, Duplex] => {
  const [a, b] = [new End(), new End()];
  a.peer = b;
  b.peer = a;
  a.once('close', () => b.destroy());
  b.once('close', () => a.destroy());
  return [a, b];
};
