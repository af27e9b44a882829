import net, { type AddressInfo, type Socket } from 'node:net';
import { systemClock } from '../../broker/clock.ts';

/** A client of a server: an iperf3 that lives. */
export interface Visit {
  came_ms: number;
  /** When it had gone; null while it is there. */
  left_ms: number | null;
}

/** iperf3's word for "the server is busy" (ACCESS_DENIED). */
const BUSY = Buffer.from([0xff]);

/** Bytes of the cookie that an iperf3 client sends first. */
const COOKIE = 37;

/**
 * Not iperf3: it takes every connection and notes how long its client stays. By default it never says a word, so that a client waits until
 * somebody ends it: a test as long as one likes, that costs nothing.
 */
export class WatchedServer {
  readonly host = '127.0.0.1';
  readonly visits: Visit[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = net.createServer((socket) => this.#accept(socket));
  readonly #busyFor: number;
  readonly #target: number | null;

  private constructor(busyFor: number, target: number | null) {
    this.#busyFor = busyFor;
    this.#target = target;
  }

  /** The first `busyFor` clients are told that it is busy. The others are passed on to port `target`, if there is one. */
  static async start({ busyFor = 0, target = null as number | null } = {}): Promise<WatchedServer> {
    const server = new WatchedServer(busyFor, target);
    await new Promise<void>((resolve, reject) => server.#server.once('error', reject).listen(0, server.host, resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Those who are there now. */
  get present(): number {
    return this.visits.filter(({ left_ms }) => left_ms === null).length;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const visit: Visit = { came_ms: systemClock.now(), left_ms: null };
    const number = this.visits.push(visit);
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      visit.left_ms = systemClock.now();
      this.#sockets.delete(socket);
    });
    if (number <= this.#busyFor) this.#refuse(socket);
    else if (this.#target !== null) this.#passOn(socket, this.#target);
    else socket.resume();
  }

  #refuse(socket: Socket): void {
    let heard = 0;
    socket.on('data', (piece) => {
      heard += piece.length;
      if (heard >= COOKIE) socket.end(BUSY);
    });
  }

  #passOn(near: Socket, target: number): void {
    const far = net.connect(target, this.host);
    far.on('error', () => {});
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  }
}
