import { MqttLink } from '../../broker/client.ts';
import { type Clock, systemClock } from '../../broker/clock.ts';
import type { Command } from '../../broker/contract/messages.ts';
import { commandTopic } from '../../broker/contract/topics.ts';
import { atTheEnd, FAR, HOST, NEAR, SECRET } from './handoff-plan.ts';

/** A client of the broker as agents and controllers are, that nothing happens to. */
export const bareLink = (url: string, user: string): MqttLink =>
  new MqttLink({
    ...{ url, clientId: user, username: user, password: SECRET, tls: null, clock: systemClock, random: Math.random },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });

const LIKE_A_START = {
  ...{ type: 'start', run: 'r-0123456789abcdef', token: 0, nonce: '0123456789abcdef' },
  ...{ server: { host: HOST, port: 5201 }, lease_ms: 16_000 },
} satisfies Command;

/** The near end of bare round trips: what it sends comes back from the far end as it is. */
export class RoundTrips {
  readonly #link: MqttLink;
  readonly #clock: Clock;
  readonly #sent = new Map<number, number>();
  #took_ms: number[] = [];
  #count = 0;
  #cancel = () => {};

  constructor(url: string, clock: Clock) {
    this.#clock = clock;
    this.#link = bareLink(url, NEAR);
    this.#link.subscribe([commandTopic(NEAR)]);
    this.#link.onMessage((_topic, payload) => this.#back(payload));
  }

  async start(): Promise<void> {
    const connected = new Promise<void>((resolve) => this.#link.onConnect(resolve));
    this.#link.start();
    await connected;
  }

  /** A round trip every `every_ms` on average, until `take()`, never in step with anything else. */
  begin(every_ms: number): void {
    this.#took_ms = [];
    const next = () => {
      this.#cancel = this.#clock.after(every_ms * (0.5 + Math.random()), () => {
        this.#send();
        next();
      });
    };
    next();
  }

  /** How long each one took, in milliseconds, since `begin()`. */
  take(): number[] {
    this.#cancel();
    return this.#took_ms;
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#link.stop();
  }

  /** As long as a `start`. */
  #send(): void {
    this.#count += 1;
    const message = { ...LIKE_A_START, token: this.#count };
    this.#sent.set(this.#count, this.#clock.now());
    this.#link.publish(commandTopic(FAR), message).catch(atTheEnd);
  }

  #back(payload: Uint8Array): void {
    const now = this.#clock.now();
    const { token } = JSON.parse(Buffer.from(payload).toString()) as typeof LIKE_A_START;
    const sent = this.#sent.get(token);
    if (sent !== undefined) this.#took_ms.push(now - sent);
  }
}
