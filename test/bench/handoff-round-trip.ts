import { MqttLink } from '../../broker/client.ts';
import { type Clock, systemClock } from '../../broker/clock.ts';
import { Command } from '../../broker/contract/messages.ts';
import { commandTopic } from '../../broker/contract/topics.ts';
import { FAR, NEAR, SECRET } from './handoff-plan.ts';

/** A client of the broker as agents and controllers are, that nothing happens to. */
export const bareLink = (url: string, user: string): MqttLink =>
  new MqttLink({
    ...{ url, clientId: user, username: user, password: SECRET, tls: null, clock: systemClock, random: Math.random },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });

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

  /** One round trip at a time, on average every `every_ms`, until `take()`; never in step with anything else. */
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
    const message = {
      type: 'start',
      run: 'r-0123456789abcdef',
      token: this.#count,
      nonce: '0123456789abcdef',
    } as const;
    this.#sent.set(this.#count, this.#clock.now());
    void this.#link.publish(commandTopic(FAR), {
      ...message,
      server: { host: '127.0.0.1', port: 5201 },
      lease_ms: 16_000,
    });
  }

  #back(payload: Uint8Array): void {
    const now = this.#clock.now();
    const message = Command.parse(JSON.parse(Buffer.from(payload).toString()));
    const sent = message.type === 'start' ? this.#sent.get(message.token) : undefined;
    if (sent !== undefined) this.#took_ms.push(now - sent);
  }
}
