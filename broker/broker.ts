import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { Aedes } from 'aedes';
import type { Principal } from './access.ts';
import { Admission, type Authenticate, type BrokerCounters } from './admission.ts';
import { type Clock, systemClock } from './clock.ts';
import { GuardedConnection } from './guarded-connection.ts';
import { connectionInProcess } from './in-process.ts';
import type { Log } from './log.ts';
import { CleanSessionPersistence } from './persistence.ts';

export interface BrokerOptions {
  host: string;
  /** 0 for a free one, which `start()` returns. */
  port: number;
  /** PEM texts; null for plain MQTT. With a `ca`, clients must show a certificate that it signed, beside their password. */
  tls: { cert: string; key: string; ca: string | null } | null;
  authenticate: Authenticate;
  log: Log;
  clock?: Clock;
}

/** A connection that has not authenticated by then is cut. */
const AUTHENTICATION_MS = 10_000;

/** A client that leaves a full buffer unread for so long is cut; until then, whoever sent to it may be kept waiting. */
const UNREAD_MS = 10_000;

/** `stop()` waits this long for clients to be taken leave of, then cuts them. */
const STOP_MS = 2_000;

/** A dead peer without MQTT keepalive is noticed by TCP, which probes after this much silence. */
const TCP_KEEPALIVE_MS = 60_000;

/** What to do about the errors that listening on a port gives. */
const ADVICE: Record<string, string> = {
  EADDRINUSE: 'the port is in use. Stop the other broker there, or change broker.listen',
  EACCES: 'not permitted. Use a port above 1023, or change broker.listen',
  EADDRNOTAVAIL: 'this machine has no such address. Change broker.listen',
};

/**
 * The MQTT broker inside the controller: Aedes, guarded. It speaks MQTT 3.1.1 over TCP or TLS, and to the controller over `open()`.
 * Sessions are clean, retained messages live in memory.
 */
export class EmbeddedBroker {
  readonly #options: BrokerOptions;
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #streams = new Set<Duplex>();
  #running: { aedes: Aedes; server: net.Server } | null = null;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#admission = new Admission(options.authenticate, options.log, this.#clock);
  }

  get counters(): Readonly<BrokerCounters> {
    return this.#admission.counters;
  }

  /** How many clients are connected now. */
  get connected(): number {
    return this.#running?.aedes.connectedClients ?? 0;
  }

  /** Listens. Rejects with what to do when the port or the TLS files cannot be used; then nothing is left running. */
  async start(): Promise<{ port: number }> {
    if (this.#running !== null) throw new Error('the broker was started already');
    const { host, port, log } = this.#options;
    const server = this.#makeServer();
    try {
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      throw new Error(`the MQTT broker cannot listen on ${host}:${port}: ${ADVICE[code] ?? message}`, { cause: error });
    }
    const aedes = new Aedes({
      ...this.#admission.hooks(),
      persistence: new CleanSessionPersistence(),
      connectTimeout: 2 * AUTHENTICATION_MS, // ours comes first
      drainTimeout: UNREAD_MS,
      concurrency: 0, // no limit: 100 messages to clients that do not read would hold up everybody's
      maxClientsIdLength: 256, // they carry the user's name here
    });
    aedes.on('connectionError', (_client, error) => log.debug({ error: error.message }, 'connection ended'));
    aedes.on('clientError', (client, error) => log.debug({ client: client.id, error: error.message }, 'client ended'));
    server.on('error', (error) => log.error({ error }, 'the MQTT listener has a problem'));
    this.#running = { aedes, server };
    await aedes.listen();
    return { port: (server.address() as AddressInfo).port };
  }

  #makeServer(): net.Server {
    const accept = (socket: net.Socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
      this.#admit(socket, null);
    };
    const { tls: files } = this.#options;
    if (files === null) return net.createServer(accept);
    const { cert, key, ca } = files;
    const mutual = ca === null ? {} : { ca, requestCert: true };
    const settings = { cert, key, ...mutual, minVersion: 'TLSv1.2', handshakeTimeout: AUTHENTICATION_MS } as const;
    try {
      const server = tls.createServer(settings, accept);
      server.on('connection', (socket: net.Socket) => this.#track(socket));
      server.on('tlsClientError', (error) => this.#options.log.debug({ error: error.message }, 'TLS handshake failed'));
      return server;
    } catch (error) {
      const message = `the MQTT broker cannot use its TLS files: ${(error as Error).message}. Check broker.tls`;
      throw new Error(message, { cause: error });
    }
  }

  /** A connection of the controller that does not leave the process, and needs no password. Cut either end to end it. */
  open(): Duplex {
    const [ours, theirs] = connectionInProcess();
    this.#track(theirs);
    this.#admit(ours, { kind: 'controller' });
    return theirs;
  }

  /** Cuts all connections of a user: one that was removed must not go on with the connection that it has. */
  disconnect(username: string): void {
    this.#admission.disconnect(username);
  }

  #track(stream: Duplex): void {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
  }

  #admit(stream: Duplex, principal: Principal | null): void {
    if (this.#running === null) throw new Error('the broker is not running: call start() first');
    this.#track(stream);
    const peer = stream instanceof net.Socket ? stream.remoteAddress : 'in-process';
    const guard = new GuardedConnection(stream, () =>
      this.#admission.refuse('connections_oversized', { peer }, 'cut a connection: packet too large'),
    );
    const cancel = this.#clock.after(AUTHENTICATION_MS, () => {
      this.#admission.refuse('connections_timed_out', { peer }, 'cut a connection: it did not authenticate in time');
      guard.destroy();
    });
    guard.once('close', cancel);
    this.#admission.enter(this.#running.aedes.handle(guard), guard, principal, cancel);
  }

  /** Frees the port and ends all connections; resolves at the latest after STOP_MS. */
  async stop(): Promise<void> {
    if (this.#running === null) return;
    const { aedes, server } = this.#running;
    this.#running = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(STOP_MS, resolve);
      aedes.close(() => {
        cancel();
        resolve();
      });
    });
    for (const stream of this.#streams) stream.destroy();
    await closed;
  }
}
