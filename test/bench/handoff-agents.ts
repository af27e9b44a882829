import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MqttLink } from '../../broker/client.ts';
import type { Clock } from '../../broker/clock.ts';
import { Command, type PrepareCommand, type StartCommand } from '../../broker/contract/messages.ts';
import { READY_INTERVAL_MS } from '../../broker/contract/numbers.ts';
import { commandTopic, eventTopic, resultTopic, statusTopic } from '../../broker/contract/topics.ts';
import type { Watcher } from './handoff-gaps.ts';
import { atTheEnd, deviceName, PLAN, SECRET } from './handoff-plan.ts';

/** A run "measures" this long, evenly spread: long enough for the next one to get ready, and the servers never in step. */
const RUN_MS = { least: 150, most: 250 };

/** So many connect at a time. */
const AT_A_TIME = 32;

/** What iperf3 3.12 printed for the test. */
const stdout = () => readFileSync('test/iperf3-corpus/v3.12__tcp_up.json', 'utf8');

const newId = (): string => randomBytes(8).toString('hex');

/** The protocol's side of a device, over the real agent's MQTT client, with a measurement that takes no iperf3. */
class BenchAgent {
  readonly device: string;
  readonly #link: MqttLink;
  readonly #clock: Clock;
  readonly #watcher: Watcher;
  readonly #output: string;
  readonly #boot = newId();
  #prepared: string | null = null;
  #token: number | null = null;
  #cancelReady = () => {};

  constructor(
    url: string,
    device: string,
    { clock, watcher, output }: { clock: Clock; watcher: Watcher; output: string },
  ) {
    this.device = device;
    this.#clock = clock;
    this.#watcher = watcher;
    this.#output = output;
    this.#link = new MqttLink({
      ...{ url, clientId: device, username: device, password: SECRET, tls: null, clock, random: Math.random },
      will: { topic: statusTopic(device), payload: this.#status(false), retain: true },
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    });
    this.#link.subscribe([commandTopic(device)]);
    this.#link.onMessage((_topic, payload) => this.#hear(payload, clock.now()));
  }

  async start(): Promise<void> {
    const connected = new Promise<void>((resolve) => this.#link.onConnect(resolve));
    this.#link.start();
    await connected;
    await this.#link.publish(statusTopic(this.device), this.#status(true), { retain: true });
  }

  async stop(): Promise<void> {
    this.#cancelReady();
    await this.#link.stop({ topic: statusTopic(this.device), payload: this.#status(false), retain: true });
  }

  #hear(payload: Uint8Array, at: number): void {
    const command = Command.parse(JSON.parse(Buffer.from(payload).toString()));
    if (command.type === 'prepare') this.#prepare(command);
    else if (command.type === 'start') this.#begin(command, at);
    else if (command.type === 'accepted') this.#watcher.accepted(command.run);
  }

  #prepare({ run }: PrepareCommand): void {
    this.#prepared = run;
    this.#cancelReady();
    this.#sayReady(run);
  }

  /** Again and again, until it is started. */
  #sayReady(run: string): void {
    this.#say({ type: 'ready', run, nonce: newId() });
    this.#cancelReady = this.#clock.after(READY_INTERVAL_MS, () => this.#sayReady(run));
  }

  #begin({ run, token, nonce, server }: StartCommand, at: number): void {
    this.#say({ type: 'started', run, token, nonce });
    if (token === this.#token || run !== this.#prepared) return;
    this.#token = token;
    this.#prepared = null;
    this.#cancelReady();
    const port = server?.port ?? 0;
    this.#watcher.started(port, at);
    const took_ms = RUN_MS.least + Math.random() * (RUN_MS.most - RUN_MS.least);
    this.#clock.after(took_ms, () => this.#finish(run, token, port, took_ms));
  }

  #finish(run: string, token: number, port: number, ended_ms: number): void {
    this.#watcher.finished(port, this.#clock.now());
    this.#say({ type: 'finished', run, token });
    const output = { test: PLAN.test, exit_code: 0, stdout: this.#output, stderr: '', started_ms: 0, ended_ms };
    this.#link
      .publish(resultTopic(this.device, run), { run, token, boot: this.#boot, tests: [output] })
      .catch(atTheEnd);
  }

  #say(event: Said): void {
    this.#link.publish(eventTopic(this.device), { ...event, boot: this.#boot }).catch(atTheEnd);
  }

  #status(online: boolean) {
    return { online, boot: this.#boot, agent: '0.0.0', host: 'node', iperf3: '3.12', capabilities: [], pending: 0 };
  }
}

type Said =
  | { type: 'ready'; run: string; nonce: string }
  | { type: 'started'; run: string; token: number; nonce: string }
  | { type: 'finished'; run: string; token: number };

/** A fleet that grows and shrinks. */
export class Agents {
  readonly #url: string;
  readonly #parts: { clock: Clock; watcher: Watcher; output: string };
  readonly #connected: BenchAgent[] = [];
  #stopped = false;

  constructor(url: string, clock: Clock, watcher: Watcher) {
    this.#url = url;
    this.#parts = { clock, watcher, output: stdout() };
  }

  get count(): number {
    return this.#connected.length;
  }

  /** Some of the devices that are connected, any. */
  pick(): string {
    return deviceName(Math.floor(Math.random() * this.#connected.length));
  }

  /** Connects or disconnects until there are `count`, gently. */
  async become(count: number): Promise<void> {
    while (this.#connected.length < count && !this.#stopped) {
      const first = this.#connected.length;
      const more = Array.from(
        { length: Math.min(AT_A_TIME, count - first) },
        (_, index) => new BenchAgent(this.#url, deviceName(first + index), this.#parts),
      );
      this.#connected.push(...more);
      await Promise.all(more.map((agent) => agent.start()));
    }
    while (this.#connected.length > count) {
      const fewer = this.#connected.splice(Math.max(count, this.#connected.length - AT_A_TIME));
      await Promise.all(fewer.map((agent) => agent.stop()));
    }
  }

  /** Disconnects all, also in the middle of `become()`; bounded as MqttLink's `stop()` is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#connected.splice(0).map((agent) => agent.stop()));
  }
}
