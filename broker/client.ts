import type { Duplex } from 'node:stream';
import { type IClientOptions, MqttClient } from 'mqtt';
import type { Clock } from './clock.ts';
import type { AgentStatus, ControllerStatus, PayloadOf } from './contract/messages.ts';
import { MAX_PAYLOAD_BYTES } from './contract/numbers.ts';
import type { controllerTopic, statusTopic } from './contract/topics.ts';
import { type ClientTls, dialer } from './dial.ts';
import type { Log } from './log.ts';
import { type ReconnectBounds, reconnectDelayMs } from './reconnect.ts';

/** The two last wills of the contract. */
export type Will =
  | { topic: ReturnType<typeof statusTopic>; payload: AgentStatus; retain: boolean }
  | { topic: ReturnType<typeof controllerTopic>; payload: ControllerStatus; retain: boolean };

export interface LinkOptions {
  /** `mqtt://host:port` or `mqtts://host:port`; null to connect through `stream`. */
  url: string | null;
  /** Opens a connection to a broker in the same process. */
  stream?: () => Duplex;
  clientId: string;
  username: string | null;
  password: string | null;
  tls: ClientTls | null;
  will?: Will;
  clock: Clock;
  /** In [0, 1): spreads the reconnects. */
  random: () => number;
  log: Log;
  reconnect?: ReconnectBounds;
}

type OnMessage = (topic: string, payload: Uint8Array, retained: boolean) => void;

const RECONNECT: ReconnectBounds = { min_ms: 1_000, max_ms: 60_000 };

/** Only a connection that lasted this long resets the wait between attempts, so that two clients with one id do not chase each other. */
const STABLE_MS = 10_000;

/** A silent broker is noticed after one and a half times this. */
const KEEPALIVE_S = 30;

/** `stop()` takes leave within this time, or cuts the connection. */
const STOP_MS = 2_000;

const dialOf = ({ url, stream, tls }: LinkOptions): (() => Duplex) => {
  if (url !== null) return dialer(url, tls);
  if (stream === undefined) throw new Error('a link needs a broker URL or a stream');
  return stream;
};

/**
 * The connection of an agent or of the controller to its broker, MQTT 3.1.1 over MQTT.js. It connects again by itself, for ever.
 *
 * States: stopped, connecting (until the subscriptions are answered), connected, waiting (for the next attempt). Nothing is
 * queued: outside `connected` a publish is rejected, so that nothing stale is sent later.
 */
export class MqttLink {
  readonly #options: LinkOptions;
  readonly #dial: () => Duplex;
  readonly #broker: string;
  readonly #filters = new Set<string>();
  readonly #messageListeners: OnMessage[] = [];
  readonly #connectListeners: (() => void)[] = [];
  readonly #disconnectListeners: (() => void)[] = [];
  readonly #unacknowledged = new Set<(error: Error) => void>();
  #running = false;
  #client: MqttClient | null = null;
  #ready = false;
  #failures = 0;
  #cancelRetry = () => {};
  #loggedReason = '';

  /** Connects nothing yet. Throws when the URL or the TLS files cannot be used. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#dial = dialOf(options);
    this.#broker = options.url ?? 'in-process';
  }

  /** True while publishing is possible: CONNECT accepted and the subscriptions answered. */
  get connected(): boolean {
    return this.#ready;
  }

  /** Called with every message of the subscriptions; `retained` if the broker had kept it. */
  onMessage(listener: OnMessage): void {
    this.#messageListeners.push(listener);
  }

  /** Called after each connect and reconnect, once the subscriptions are answered. */
  onConnect(listener: () => void): void {
    this.#connectListeners.push(listener);
  }

  /** Called once for each `onConnect`, when the connection has ended, also by `stop()`. */
  onDisconnect(listener: () => void): void {
    this.#disconnectListeners.push(listener);
  }

  /** Connects, and keeps connecting until `stop()`. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  /** Remembers the filters for every connect; asks for them at once if connected. A refusal is logged. */
  subscribe(filters: string[]): void {
    for (const filter of filters) this.#filters.add(filter);
    if (this.#client?.connected) this.#requestFilters(this.#client, filters, () => {});
  }

  /**
   * Sends one message with QoS 1; resolves when the broker has acknowledged it. Rejects when not connected, when the connection
   * ends before the answer (the message may or may not have arrived), and when the payload is over MAX_PAYLOAD_BYTES.
   */
  publish<T extends string>(topic: T, payload: PayloadOf<T>, options?: { retain?: boolean }): Promise<void> {
    return this.publishText(topic, JSON.stringify(payload), options);
  }

  /** As `publish`, for a topic that is not of the contract. */
  async publishText(topic: string, text: string, options?: { retain?: boolean }): Promise<void> {
    const size = Buffer.byteLength(text);
    if (size > MAX_PAYLOAD_BYTES) throw new Error(`${size} bytes for ${topic}: over ${MAX_PAYLOAD_BYTES}, not sent`);
    const client = this.#client;
    if (client === null || !this.#ready) throw new Error(`no connection to the broker: nothing sent on ${topic}`);
    await new Promise<void>((resolve, reject) => {
      this.#unacknowledged.add(reject);
      client.publish(topic, text, { qos: 1, retain: options?.retain ?? false }, (error) => {
        this.#unacknowledged.delete(reject);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /**
   * Publishes `last` if given, sends DISCONNECT, so that the last will does not fire, and closes. Resolves at the latest after
   * STOP_MS, when what did not finish is cut. The link may be started again.
   */
  async stop<T extends string>(last?: { topic: T; payload: PayloadOf<T>; retain?: boolean }): Promise<void> {
    this.#running = false;
    this.#cancelRetry();
    const client = this.#client;
    if (client === null) return;
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    const cancelCut = this.#options.clock.after(STOP_MS, () => client.stream.destroy());
    if (last !== undefined) {
      await this.publish(last.topic, last.payload, { retain: last.retain ?? false }).catch((error: Error) =>
        this.#options.log.warn({ error: error.message }, 'the last message was not sent'),
      );
    }
    client.end(!client.connected); // before CONNACK there is no leave to take
    await closed;
    cancelCut();
  }

  #connect(): void {
    const { clientId, username, password, will } = this.#options;
    let reason = 'closed by the broker';
    const options: IClientOptions = {
      clientId,
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
      ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(JSON.stringify(will.payload)), qos: 1 } }),
      clean: true,
      protocolId: 'MQTT',
      protocolVersion: 4,
      keepalive: KEEPALIVE_S,
      reconnectPeriod: 0, // its period is fixed; we spread ours
      resubscribe: false,
      connectTimeout: 30_000,
    };
    const client = new MqttClient(() => this.#dial().on('error', (error) => (reason = error.message)), options);
    this.#client = client;
    let connectedAt: number | null = null;
    client.on('error', (error) => {
      reason = error.message;
    });
    client.on('message', (topic, payload, packet) => {
      for (const listener of this.#messageListeners) listener(topic, payload, packet.retain);
    });
    client.on('connect', () => {
      connectedAt = this.#options.clock.now();
      this.#requestFilters(client, [...this.#filters], () => this.#becomeReady());
    });
    client.once('close', () => {
      if (connectedAt !== null && this.#options.clock.now() - connectedAt >= STABLE_MS) this.#failures = 0;
      this.#becomeDisconnected(reason);
    });
  }

  #requestFilters(client: MqttClient, filters: string[], answered: () => void): void {
    if (filters.length === 0) {
      answered();
      return;
    }
    client.subscribe(filters, { qos: 1 }, (_error, _grants, packet) => {
      if (this.#client !== client) return; // it ended before the answer
      const refused = filters.filter((_filter, index) => packet === undefined || packet.granted[index] === 128);
      if (refused.length > 0) {
        const fields = { broker: this.#broker, username: this.#options.username, refused };
        this.#options.log.error(fields, 'the broker refused subscriptions: check its access rules');
      }
      answered();
    });
  }

  #becomeReady(): void {
    this.#ready = true;
    this.#loggedReason = '';
    this.#options.log.info({ broker: this.#broker }, 'connected to the broker');
    for (const listener of this.#connectListeners) listener();
  }

  #becomeDisconnected(reason: string): void {
    const { log, clock, random, reconnect = RECONNECT } = this.#options;
    const wasReady = this.#ready;
    this.#client = null;
    this.#ready = false;
    const error = new Error(`the connection to the broker ended before it answered: ${reason}`);
    for (const reject of this.#unacknowledged) reject(error);
    this.#unacknowledged.clear();
    if (this.#running) {
      const delay_ms = reconnectDelayMs(this.#failures++, reconnect, random());
      this.#cancelRetry = clock.after(delay_ms, () => this.#connect());
      if (reason !== this.#loggedReason)
        log.warn({ broker: this.#broker, reason, delay_ms }, 'no connection to the broker');
      this.#loggedReason = reason;
    }
    if (wasReady) for (const listener of this.#disconnectListeners) listener();
  }
}
