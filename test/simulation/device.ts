import type { Agent } from '../../agent/core/agent.ts';
import { createAgent } from '../../agent/core/agent.ts';
import type { Action, AgentIdentity, StoredResult } from '../../agent/core/io.ts';
import { AgentProcess } from './agent-process.ts';
import type { Broker } from './broker.ts';
import { Guard } from './guard.ts';
import { Iperf3Client } from './iperf3-client.ts';
import type { Iperf3Server } from './iperf3-server.ts';
import type { Laws } from './laws/laws.ts';
import type { Network } from './network.ts';
import type { PromiseName } from './promises.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import { WrittenAgent } from './written-agent.ts';

export interface DeviceWorld {
  timeline: Timeline;
  random: Random;
  broker: Broker;
  up: Network;
  laws: Laws;
  trace: Trace;
  servers: ReadonlyMap<string, Iperf3Server>;
  broken: PromiseName | null;
}

/** What is the matter with a device. */
export interface DeviceTraits {
  /** Whether it runs agent/core itself, or the agent that was written from the protocol. */
  is_real: boolean;
  /** Share of the checks in which iperf3 is missing. */
  refusing: number;
  /** Share of the guards that do not notice that their agent died. */
  deaf: number;
  syn_loss: number;
  link_loss: number;
}

/** One running iperf3 of a device, for the laws. */
export interface Running {
  device: string;
  server: string;
  run: string;
  token: number;
  client: Iperf3Client;
}

const argument = (argv: readonly string[], option: string): string => argv[argv.indexOf(option) + 1] ?? '';

/** A router: a clock of its own, a RAM disk, a lock, agents that come and go, and iperf3 with its guards, which outlive them. */
export class Device {
  readonly name: string;
  readonly world: DeviceWorld;
  readonly traits: DeviceTraits;
  /** Results on RAM disk, by run: they outlive the agent, not the power. */
  readonly stored = new Map<string, StoredResult>();
  readonly #rate: number;
  readonly #offset_ms: number;
  /** Two devices that use one name are told apart by this. */
  readonly #mark: string;
  #boots = 0;
  #power = 0;
  #agents: AgentProcess[] = [];
  readonly #guards = new Map<Guard, { agent: AgentProcess; key: number; running: Running }>();

  constructor(name: string, mark: string, world: DeviceWorld, traits: DeviceTraits) {
    this.name = name;
    this.#mark = mark;
    this.world = world;
    this.traits = traits;
    this.#offset_ms = world.random.between(1e6, 1e9);
    this.#rate = world.random.between(0.999, 1.001);
  }

  get isUp(): boolean {
    return this.#agents.some((agent) => agent.isAlive);
  }

  get isBusy(): boolean {
    return this.#guards.size > 0;
  }

  /** By its own clock, in milliseconds. */
  now(): number {
    return this.#offset_ms + this.#rate * this.world.timeline.now;
  }

  after(ms: number, action: () => void): () => void {
    const power = this.#power;
    return this.world.timeline.after(ms / this.#rate, () => {
      if (power === this.#power) action();
    });
  }

  /** Starts an agent, unless another holds the lock. What an earlier one left running ends before it connects (L8). */
  start(): void {
    if (this.isUp && this.world.broken !== 'lock') return;
    this.#boots += 1;
    const boot = `${this.name}${this.#mark}-b${this.#boots}`;
    const agent = new AgentProcess(this, boot, this.#core(boot));
    this.#agents = [...this.#agents.filter((one) => one.isAlive), agent];
    if (this.world.broken !== 'leftovers-end-first' && this.world.broken !== 'lock')
      for (const guard of this.#guards.keys()) guard.end();
    this.#connectWhenClean(agent);
  }

  connect(): void {
    for (const agent of this.#agents) agent.connect();
  }

  disconnect(): void {
    for (const agent of this.#agents) agent.disconnect();
  }

  /** kill -9: the guards notice that their stdin has ended, or they do not. */
  crash(): void {
    this.tell(() => 'the agent crashes');
    this.#agentsDie();
    for (const guard of this.#guards.keys()) guard.stdinEnds();
  }

  stop(): void {
    this.tell(() => 'the agent stops in order');
    for (const agent of this.#agents) agent.stop();
    for (const guard of this.#guards.keys()) guard.stdinEnds();
  }

  /** Everything is gone without a goodbye, the RAM disk too. */
  losePower(): void {
    this.tell(() => 'loses its power');
    this.#agentsDie();
    for (const guard of [...this.#guards.keys()]) guard.client.vanish();
    this.#power += 1;
    this.stored.clear();
    this.world.laws.poweredOff(this.name);
  }

  hasIperf3(): boolean {
    return !this.world.random.chance(this.traits.refusing);
  }

  hasStored(run: string, token: number): boolean {
    return this.stored.get(run)?.token === token;
  }

  spawn(agent: AgentProcess, action: Extract<Action, { kind: 'spawn' }>, of: { run: string; token: number }) {
    const { timeline, random, servers, laws, broken } = this.world;
    const server = servers.get(argument(action.argv, '-c'));
    const limit_s = Math.floor((action.until_ms - this.now()) / 1000);
    if (server === undefined || limit_s < 3) return agent.exited(action.key, '');
    const client = new Iperf3Client({
      timeline,
      random,
      server,
      duration_s: Number(argument(action.argv, '-t')),
      omit_s: action.argv.includes('-O') ? Number(argument(action.argv, '-O')) : 0,
      is_download: action.argv.includes('-R'),
      syn_loss: this.traits.syn_loss,
      link_loss: this.traits.link_loss,
      onExit: (stdout) => {
        guard.dispose();
        this.#guards.delete(guard);
        this.tell(() => `iperf3 of ${of.run}/${of.token} on ${server.name} is gone`);
        laws.clientEnds(running);
        if (agent.isAlive) agent.exited(action.key, stdout);
      },
    });
    const running: Running = { device: `${this.name}${this.#mark}`, server: server.name, ...pick(of), client };
    const guard = new Guard({
      random,
      after: (ms, then) => this.after(ms, then),
      client,
      limit_ms: broken === 'guard' ? Number.POSITIVE_INFINITY : 1000 * limit_s,
      is_deaf: broken === 'guard' || random.chance(this.traits.deaf),
    });
    this.#guards.set(guard, { agent, key: action.key, running });
    this.tell(() => `iperf3 of ${of.run}/${of.token} starts on ${server.name}`);
    laws.clientStarts(running, server);
  }

  signal(agent: AgentProcess, key: number, name: 'TERM' | 'KILL') {
    for (const [guard, of] of this.#guards) {
      if (of.agent !== agent || of.key !== key) continue;
      if (name === 'TERM') guard.end();
      else guard.client.signal('KILL');
    }
  }

  tell(text: () => string): void {
    this.world.trace.say(this.world.timeline.now, `${this.name}${this.#mark}`, text);
  }

  #connectWhenClean(agent: AgentProcess): void {
    this.after(this.world.random.between(50, 500), () => {
      const waits =
        this.#guards.size > 0 && this.world.broken !== 'leftovers-end-first' && this.world.broken !== 'lock';
      if (waits) this.#connectWhenClean(agent);
      else agent.connect();
    });
  }

  #agentsDie(): void {
    for (const agent of this.#agents) agent.kill();
  }

  #core(boot: string): Agent {
    let nonces = 0;
    const identity: AgentIdentity = {
      device: this.name,
      boot,
      agent: 'simulated',
      host: 'node',
      iperf3: '3.12',
      key_path: '/key',
      limits: { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null },
      random: () => {
        nonces += 1;
        return `${boot}-n${nonces}`;
      },
      stored: [...this.stored.values()],
    };
    return this.traits.is_real ? createAgent(identity) : new WrittenAgent(identity, this.world.broken);
  }
}

const pick = ({ run, token }: { run: string; token: number }) => ({ run, token });
