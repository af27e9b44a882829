import type { AedesOptions, Client } from 'aedes';
import { mayConnect, mayPublish, maySubscribe, type Principal } from './access.ts';
import type { Clock } from './clock.ts';
import { MAX_PAYLOAD_BYTES } from './contract/numbers.ts';
import type { GuardedConnection } from './guarded-connection.ts';
import type { Log } from './log.ts';

/** Looks the user up. Null refuses the connection; a rejection answers "server unavailable", and the client tries again later. */
export type Authenticate = (username: string, password: Buffer) => Principal | null | Promise<Principal | null>;

/** How often each thing happened since the broker was made. They only grow. */
export interface BrokerCounters {
  /** Clients whose CONNECT was accepted. */
  connections_accepted: number;
  /** CONNECT answered with an error: password, client id, last will. */
  connections_refused: number;
  /** Cut because they did not authenticate in time. */
  connections_timed_out: number;
  /** Cut because a packet was larger than allowed. */
  connections_oversized: number;
  /** Dropped and acknowledged: not allowed on that topic, or the payload over MAX_PAYLOAD_BYTES. */
  publishes_refused: number;
  /** Filters answered with 0x80. */
  subscriptions_refused: number;
  /** Not sent to a device that does not read what it is sent. */
  deliveries_dropped: number;
}

/** CONNACK return codes (MQTT 3.1.1, table 3.1). */
const IDENTIFIER_REJECTED = 2;
const SERVER_UNAVAILABLE = 3;
const BAD_USERNAME_OR_PASSWORD = 4;
const NOT_AUTHORIZED = 5;

/** One connection from its first packet on. */
interface Arrival {
  guard: GuardedConnection;
  /** Known beforehand for a connection inside the process. */
  principal: Principal | null;
  username: string;
  clientId: string;
  will: { topic: string; retain?: boolean } | undefined;
  onAdmitted: () => void;
}

/** Who a connection belongs to, after CONNECT was accepted. */
interface Admitted {
  principal: Principal;
  username: string;
}

type Refusal = { code: number; reason: string };

const lookUp = <T>(map: WeakMap<Client, T>, client: Client | null): T => {
  const value = client === null ? undefined : map.get(client);
  if (value === undefined) throw new Error('Aedes asks about a connection that never entered');
  return value;
};

/** A refused publish goes on to here, where nobody may subscribe: it must be acknowledged, or its client sends it for ever. */
const NOWHERE = '$SYS/refused';

/** The same refusal is logged once in this time; the counters know how often it happened. */
const LOG_INTERVAL_MS = 10_000;

/** Applies `access.ts` to the connections of an Aedes broker; counts and logs what it refuses. */
export class Admission {
  readonly counters: BrokerCounters = {
    connections_accepted: 0,
    connections_refused: 0,
    connections_timed_out: 0,
    connections_oversized: 0,
    publishes_refused: 0,
    subscriptions_refused: 0,
    deliveries_dropped: 0,
  };
  readonly #authenticate: Authenticate;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #arrivals = new WeakMap<Client, Arrival>();
  readonly #admitted = new WeakMap<Client, Admitted>();
  readonly #lastLogged = new Map<string, number>();
  /** Connections by user name. */
  readonly #guards = new Map<string, Set<GuardedConnection>>();

  constructor(authenticate: Authenticate, log: Log, clock: Clock) {
    this.#authenticate = authenticate;
    this.#log = log;
    this.#clock = clock;
  }

  /** Call this for each connection. `principal` is known beforehand only in-process; `onAdmitted` is called when CONNECT is accepted. */
  enter(client: Client, guard: GuardedConnection, principal: Principal | null, onAdmitted: () => void): void {
    this.#arrivals.set(client, { guard, principal, username: '', clientId: '', will: undefined, onAdmitted });
  }

  /** Counts a refusal and logs it, at most one line per kind in LOG_INTERVAL_MS. */
  refuse(kind: keyof BrokerCounters, fields: object, message: string): void {
    this.counters[kind] += 1;
    const now = this.#clock.now();
    if (now - (this.#lastLogged.get(kind) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL_MS) return;
    this.#lastLogged.set(kind, now);
    this.#log.warn({ ...fields, [kind]: this.counters[kind] }, message);
  }

  /** Cuts all connections of a user, whose credentials are not valid any more. */
  disconnect(username: string): void {
    for (const guard of this.#guards.get(username) ?? []) guard.destroy();
  }

  /** The options that make Aedes ask here. */
  hooks(): AedesOptions {
    return {
      preConnect: (client, packet, done) => {
        const arrival = lookUp(this.#arrivals, client);
        arrival.username = packet.username ?? '';
        arrival.clientId = packet.clientId;
        arrival.will = packet.will;
        packet.clean = true; // nothing is queued for a client that is away
        packet.clientId = `${arrival.username}/${packet.clientId}`; // so that a user takes over only its own connections
        done(null, true);
      },
      authenticate: (client, _username, password, done) => {
        void this.#answerConnect(client, password, done);
      },
      authorizePublish: (client, packet, done) => {
        const { principal, username } = lookUp(this.#admitted, client);
        const reason = publishRefusal(principal, packet);
        if (reason !== null) {
          const fields = { username, topic: packet.topic, reason };
          this.refuse('publishes_refused', fields, 'dropped a message that its sender may not publish');
          Object.assign(packet, { topic: NOWHERE, payload: '', retain: false });
        }
        done(null);
      },
      authorizeSubscribe: (client, subscription, done) => {
        const { principal, username } = lookUp(this.#admitted, client);
        const verdict = maySubscribe(principal, subscription.topic);
        if (!verdict.allowed) {
          const fields = { username, filter: subscription.topic, reason: verdict.reason };
          this.refuse('subscriptions_refused', fields, 'refused a subscription');
        }
        done(null, verdict.allowed ? subscription : null);
      },
      authorizeForward: (client, packet) => {
        const { principal, username } = lookUp(this.#admitted, client);
        if (principal.kind === 'controller' || !client.conn.writableNeedDrain) return packet;
        // Aedes would keep the sender waiting until this device reads: the controller, and with it the whole fleet.
        const fields = { username, topic: packet.topic };
        this.refuse('deliveries_dropped', fields, 'dropped a message to a device that does not read');
        return null;
      },
    };
  }

  async #answerConnect(client: Client, password: Buffer | undefined, done: AuthenticateDone): Promise<void> {
    const arrival = lookUp(this.#arrivals, client);
    const { username, clientId, guard } = arrival;
    const outcome = await this.#admit(arrival, password ?? Buffer.alloc(0));
    if ('code' in outcome) {
      const fields = { username, client_id: clientId, reason: outcome.reason };
      this.refuse('connections_refused', fields, 'refused a connection to the broker');
      done(Object.assign(new Error(outcome.reason), { returnCode: outcome.code }), null);
      return;
    }
    this.counters.connections_accepted += 1;
    this.#admitted.set(client, { principal: outcome, username });
    this.#remember(username, guard);
    arrival.onAdmitted();
    done(null, true);
    guard.release();
  }

  #remember(username: string, guard: GuardedConnection): void {
    const guards = this.#guards.get(username) ?? new Set();
    this.#guards.set(username, guards.add(guard));
    guard.once('close', () => {
      guards.delete(guard);
      if (guards.size === 0 && this.#guards.get(username) === guards) this.#guards.delete(username);
    });
  }

  async #admit(
    { principal: trusted, username, clientId, will }: Arrival,
    password: Buffer,
  ): Promise<Principal | Refusal> {
    let principal = trusted;
    try {
      principal ??= await this.#authenticate(username, password);
    } catch (error) {
      this.#log.error({ error, username }, 'could not check a password');
      return { code: SERVER_UNAVAILABLE, reason: 'cannot-authenticate' };
    }
    if (principal === null) return { code: BAD_USERNAME_OR_PASSWORD, reason: 'bad-credentials' };
    const connect = mayConnect(principal, clientId);
    if (!connect.allowed) return { code: IDENTIFIER_REJECTED, reason: connect.reason };
    const lastWill = will === undefined ? null : mayPublish(principal, will.topic, will.retain === true);
    if (lastWill?.allowed === false) return { code: NOT_AUTHORIZED, reason: `last-will-${lastWill.reason}` };
    return principal;
  }
}

type AuthenticateDone = Parameters<NonNullable<AedesOptions['authenticate']>>[3];

const publishRefusal = (principal: Principal, packet: { topic: string; payload: string | Buffer; retain: boolean }) => {
  if (packet.payload.length > MAX_PAYLOAD_BYTES) return 'payload-too-large';
  const verdict = mayPublish(principal, packet.topic, packet.retain);
  return verdict.allowed ? null : verdict.reason;
};
