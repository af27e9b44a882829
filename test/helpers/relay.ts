import net, { type AddressInfo, type Socket } from 'node:net';

/** A wire to a TCP server that a test can cut: it passes bytes on, both ways. */
export class Relay {
  readonly #target: { host: string; port: number };
  /** What has gone over it so far, both ways. */
  bytes = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = net.createServer((near) => this.#accept(near));
  /** Those that came while the wire was cut; null while it is whole. */
  #waiting: Socket[] | null = null;

  constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  /** Listens on a free port of `host`, which it returns. */
  async start(host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(0, host, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections. What is said on new ones goes nowhere until `mend()`. */
  cut(): void {
    this.#waiting ??= [];
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const near of waiting) this.#join(near);
  }

  async stop(): Promise<void> {
    this.cut();
    for (const near of this.#waiting ?? []) near.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    near.on('error', () => {});
    if (this.#waiting === null) this.#join(near);
    else this.#waiting.push(near);
  }

  #join(near: Socket): void {
    const far = net.connect(this.#target).on('error', () => {});
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.on('data', (chunk) => {
        this.bytes += chunk.length;
      });
      one.pipe(other);
    }
  }
}
