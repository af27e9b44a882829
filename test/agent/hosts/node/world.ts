import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentConfig } from '../../../../agent/hosts/node/config.ts';
import { NodeAgent } from '../../../../agent/hosts/node/node-agent.ts';
import { MqttLink } from '../../../../broker/client.ts';
import { type Clock, systemClock } from '../../../../broker/clock.ts';
import { type Inbound, parseInbound } from '../../../../broker/contract/inbound.ts';
import type { Command } from '../../../../broker/contract/messages.ts';
import { commandTopic } from '../../../../broker/contract/topics.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { until } from '../../../helpers/until.ts';

const DEVICE = 'ap-12';

/** A real mosquitto, a real iperf3 server, and a controller's connection that keeps what it hears. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'perfleet-agent-'));
  readonly state = join(this.folder, 'state');
  readonly log = new RecordedLog();
  readonly heard: Inbound[] = [];
  url = '';
  broker: ChildProcess | null = null;
  port = 0;
  #controller: MqttLink | null = null;
  readonly #processes: ChildProcess[] = [];
  readonly #agents: NodeAgent[] = [];

  /** `host` is where the broker listens. */
  async open(host = '127.0.0.1'): Promise<void> {
    mkdirSync(this.state);
    const brokerPort = await freePort();
    this.port = await freePort();
    this.url = `mqtt://${host}:${brokerPort}`;
    const conf = join(this.folder, 'mosquitto.conf');
    writeFileSync(conf, `listener ${brokerPort} ${host}\nallow_anonymous true\n`);
    this.broker = this.run('mosquitto', ['-c', conf]);
    this.run('iperf3', ['-s', '-p', String(this.port)]);
    const { clock, random } = { clock: systemClock, random: Math.random };
    const options = { url: this.url, clientId: 'controller', username: null, password: null, tls: null };
    const reconnect = { min_ms: 20, max_ms: 20 };
    const link = new MqttLink({ ...options, clock, random, log: new RecordedLog(), reconnect });
    link.onMessage((topic, payload) => {
      const message = parseInbound(topic, payload);
      if (message.kind !== 'dropped') this.heard.push(message);
    });
    link.subscribe(['perfleet/1/#']);
    link.start();
    this.#controller = link;
    await until('the broker is there', () => link.connected);
  }

  run(command: string, args: string[], options: object = {}): ChildProcess {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.#processes.push(child);
    return child;
  }

  /** An environment in whose PATH `name` is this shell script. */
  withProgram(name: string, script: string): NodeJS.ProcessEnv {
    const bin = join(this.folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  }

  config(more: Partial<AgentConfig> = {}): AgentConfig {
    return {
      device: DEVICE,
      broker: this.url,
      username: DEVICE,
      password: null,
      tls: null,
      limits: { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null },
      wan_interface: null,
      nice: 5,
      state: this.state,
      ...more,
    };
  }

  agent(more: Partial<AgentConfig> = {}, env: NodeJS.ProcessEnv = process.env, clock: Clock = systemClock): NodeAgent {
    const around = { version: '0.1.0', clock, random: Math.random, log: this.log, env };
    const agent = new NodeAgent(this.config(more), around);
    this.#agents.push(agent);
    return agent;
  }

  async send(command: Command): Promise<void> {
    await this.#controller?.publish(commandTopic(DEVICE), command);
  }

  async sendRaw(topic: string, payload: string): Promise<void> {
    const child = this.run('mosquitto_pub', ['-p', new URL(this.url).port, '-q', '1', '-t', topic, '-m', payload]);
    await once(child, 'exit');
  }

  prepare(run: string, duration_s: number, more: object = {}, max_cross_traffic: number | null = null): Command {
    const test = { test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s } as const;
    const server = { host: '127.0.0.1', port: this.port, ...more };
    return { type: 'prepare', run, server, tests: [test], lease_ms: 1000 * (duration_s + 15), max_cross_traffic };
  }

  /** Events of one type, as heard so far. */
  events(type: string) {
    return this.heard.flatMap((one) => (one.kind === 'event' && one.payload.type === type ? [one.payload] : []));
  }

  results() {
    return this.heard.flatMap((one) => (one.kind === 'result' ? [one.payload] : []));
  }

  /** The newest status. */
  status() {
    return this.heard.flatMap((one) => (one.kind === 'status' ? [one.payload] : [])).at(-1);
  }

  /** Takes a run as far as its start. */
  async begin(run: string, token: number, duration_s: number, more: object = {}): Promise<void> {
    await this.deck(run, duration_s, more);
    await this.go(run, token);
  }

  /** Takes a run on deck. */
  async deck(run: string, duration_s: number, more: object = {}): Promise<void> {
    await until('the agent is online', () => this.status()?.online);
    const before = this.events('ready').length;
    await this.send(this.prepare(run, duration_s, more));
    await until('it is ready', () => this.events('ready').length > before);
  }

  /** Starts the run on deck. */
  async go(run: string, token: number): Promise<void> {
    const ready = this.events('ready').at(-1);
    await this.send({ type: 'start', run, token, nonce: ready?.type === 'ready' ? ready.nonce : '' });
    await until('it has started', () => this.events('started').length > 0);
  }

  async close(): Promise<void> {
    for (const agent of this.#agents) await agent.stop();
    await this.#controller?.stop();
    for (const child of this.#processes) {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
    rmSync(this.folder, { recursive: true });
  }
}
