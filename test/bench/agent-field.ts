import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MqttLink } from '../../broker/client.ts';
import { systemClock } from '../../broker/clock.ts';
import { type Inbound, parseInbound } from '../../broker/contract/inbound.ts';
import type { Command } from '../../broker/contract/messages.ts';
import { commandTopic } from '../../broker/contract/topics.ts';
import { Mosquitto } from '../helpers/mosquitto.ts';
import { Relay } from '../helpers/relay.ts';
import { withConfig } from '../helpers/shipped-agents.ts';
import { until } from '../helpers/until.ts';
import type { AgentHost } from './agent-hosts.ts';
import { ProcessTree } from './process-tree.ts';

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A program that is connected to the broker over a wire of its own. */
export interface Connected {
  device: string;
  tree: ProcessTree;
  wire: Relay;
}

/** Agents, a real mosquitto, and somebody who tells the agents what to do. */
export class AgentField {
  readonly #folder: string;
  readonly #broker: Mosquitto;
  readonly #link: MqttLink;
  readonly #stops: (() => Promise<void>)[] = [];
  heard: Inbound[] = [];

  private constructor(folder: string, broker: Mosquitto, link: MqttLink) {
    this.#folder = folder;
    this.#broker = broker;
    this.#link = link;
  }

  static async open(folder: string): Promise<AgentField> {
    const broker = await Mosquitto.start();
    const anonymous = { username: null, password: null, tls: null };
    const around = { clock: systemClock, random: Math.random, log: QUIET };
    const link = new MqttLink({ url: broker.url, clientId: 'bench', ...anonymous, ...around });
    const field = new AgentField(folder, broker, link);
    link.onMessage((topic, payload) => {
      const message = parseInbound(topic, payload);
      if (message.kind !== 'dropped') field.heard.push(message);
    });
    link.subscribe(['perfleet/1/device/+/status', 'perfleet/1/device/+/event', 'perfleet/1/device/+/result/+']);
    link.start();
    await until('the broker is there', () => link.connected);
    return field;
  }

  /** Starts an agent and waits until it is online. */
  async agent(host: AgentHost, device: string): Promise<Connected> {
    const wire = await this.#wire();
    const state = join(this.#folder, device);
    mkdirSync(state);
    const file = join(state, 'agent.json');
    const broker = `mqtt://127.0.0.1:${wire.port}`;
    writeFileSync(file, JSON.stringify({ device, broker, state }), { mode: 0o600 });
    if (host.command === null) throw new Error(`there is no ${host.name} here`);
    const tree = this.#start(withConfig(host.command, file));
    await until(`the agent on ${host.name} is online`, () => {
      tree.check();
      return this.heard.some((one) => one.kind === 'status' && one.device === device && one.payload.online);
    });
    return { device, tree, wire: wire.relay };
  }

  /** The least that can wait for commands. */
  async bare(device: string): Promise<Connected> {
    const wire = await this.#wire();
    const topic = ['-t', commandTopic(device), '-q', '1', '-i', device, '-d'];
    const tree = this.#start(['mosquitto_sub', '-h', '127.0.0.1', '-p', `${wire.port}`, ...topic]);
    await until('mosquitto_sub is there', () => {
      tree.check();
      return wire.relay.bytes > 0;
    });
    return { device, tree, wire: wire.relay };
  }

  tell(device: string, command: Command): void {
    void this.#link.publish(commandTopic(device), command);
  }

  /** Waits for a message of a device. */
  hears<K extends Inbound['kind']>(kind: K, is: (message: Extract<Inbound, { kind: K }>) => boolean = () => true) {
    const found = () =>
      this.heard.find((one): one is Extract<Inbound, { kind: K }> => one.kind === kind && is(one as never));
    return until(`an agent sends its ${kind}`, found);
  }

  /** Ends the agents, and leaves the broker. */
  async clear(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
    this.heard = [];
  }

  async close(): Promise<void> {
    await this.clear();
    await this.#link.stop();
    await this.#broker.remove();
  }

  async #wire(): Promise<{ relay: Relay; port: number }> {
    const relay = new Relay({ host: '127.0.0.1', port: this.#broker.port });
    const port = await relay.start('127.0.0.1');
    this.#stops.push(() => relay.stop());
    return { relay, port };
  }

  #start(command: string[]): ProcessTree {
    const tree = new ProcessTree(command, process.env);
    this.#stops.push(() => tree.stop());
    return tree;
  }
}
