import { connect, type MqttClient } from 'mqtt';
import { systemClock } from '../../broker/clock.ts';
import { Command } from '../../broker/contract/messages.ts';
import { commandTopic, resultTopic } from '../../broker/contract/topics.ts';
import { type Held, PASSWORD } from './scene.ts';

/** A result that is not accepted this long is sent again. */
const AGAIN_MS = 1000;

/** One device's side of the delivery: holds its results until they are accepted, sends one at a time, and again on each connect. */
class HoldingAgent {
  readonly #device: string;
  readonly #client: MqttClient;
  readonly #held: Held[];
  readonly #onAccepted: (token: number) => void;
  #disarm = () => {};
  /** Only results up to this token are sent yet. */
  #released = 0;
  sent = 0;

  constructor(url: string, device: string, held: Held[], onAccepted: (token: number) => void) {
    this.#device = device;
    this.#held = held;
    this.#onAccepted = onAccepted;
    const login = { clientId: device, username: device, password: PASSWORD };
    this.#client = connect(url, { ...login, protocolVersion: 4, reconnectPeriod: 50, clean: true, resubscribe: false });
    this.#client.on('error', () => {});
    this.#client.on('connect', () => this.#client.subscribe(commandTopic(device), { qos: 1 }, () => this.#send()));
    this.#client.on('message', (_topic, payload) => this.#hear(payload));
    this.#sendAgain();
  }

  release(upTo: number): void {
    this.#released = upTo;
    this.#send();
  }

  async stop(): Promise<void> {
    this.#disarm();
    await this.#client.endAsync(true);
  }

  #sendAgain(): void {
    this.#send();
    this.#disarm = systemClock.after(AGAIN_MS, () => this.#sendAgain());
  }

  #send(): void {
    const [next] = this.#held;
    if (next === undefined || next.result.token > this.#released || !this.#client.connected) return;
    this.sent += 1;
    this.#client.publish(resultTopic(this.#device, next.result.run), JSON.stringify(next.result), { qos: 1 });
  }

  #hear(payload: Buffer): void {
    const command = Command.parse(JSON.parse(payload.toString()));
    if (command.type !== 'accepted' || command.token !== this.#held[0]?.result.token) return;
    this.#held.shift();
    this.#onAccepted(command.token);
    this.#send();
  }
}

/** All agents. `accepted` are the tokens of which the controller has said that they are safe. */
export class Agents {
  readonly accepted = new Set<number>();
  readonly #agents: HoldingAgent[];
  #onAccepted = () => {};

  constructor(url: string, held: readonly Held[]) {
    const devices = [...new Set(held.map(({ device }) => device))];
    this.#agents = devices.map((device) => {
      const mine = held.filter((one) => one.device === device);
      return new HoldingAgent(url, device, mine, (token) => {
        this.accepted.add(token);
        this.#onAccepted();
      });
    });
  }

  /** How often a result was sent, the first time included. */
  get sent(): number {
    return this.#agents.reduce((sum, agent) => sum + agent.sent, 0);
  }

  /** Results up to this token may be sent from now on. */
  release(upTo: number): void {
    for (const agent of this.#agents) agent.release(upTo);
  }

  /** Resolves when so many more were accepted. */
  moreAccepted(count: number): Promise<void> {
    const enough = this.accepted.size + count;
    return new Promise((resolve) => {
      this.#onAccepted = () => {
        if (this.accepted.size >= enough) resolve();
      };
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
  }
}
