import './builtins.ts';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MqttLink } from '../../../broker/client.ts';
import type { Clock } from '../../../broker/clock.ts';
import { commandTopic, controllerTopic, statusTopic } from '../../../broker/contract/topics.ts';
import type { Log } from '../../../broker/log.ts';
import { type Agent, createAgent } from '../../core/agent.ts';
import type { Action, AgentIdentity, Exit, Input, Publication, WanTraffic } from '../../core/io.ts';
import type { AgentConfig } from './config.ts';
import { Guards } from './guards.ts';
import { endLeftovers } from './leftovers.ts';
import { lockFolder } from './lock.ts';
import { type Meanwhile, watchDevice } from './meanwhile.ts';
import { iperf3Finder, resolveHost } from './preflight.ts';
import { readPayload } from './read-payload.ts';
import { rehearse } from './rehearsal.ts';
import { ResultFolder } from './result-folder.ts';
import { watchWan } from './wan-traffic.ts';

export interface AgentSurroundings {
  /** Version of the agent. */
  version: string;
  clock: Clock;
  /** In [0, 1): spreads the reconnects. */
  random: () => number;
  log: Log;
  /** Of iperf3, which is looked up on its PATH each time. */
  env: NodeJS.ProcessEnv;
}

/** Where the kernel shows the routes and the counters of this process's network namespace. */
const PROC_NET = '/proc/net';

const NOT_WATCHED =
  "cross-traffic is not looked at: set wan_interface in the agent's file to the interface that leads to the internet";

const randomId = (): string => randomBytes(16).toString('hex');

/**
 * The agent on Node.js: does what its core decides. Everything that happens becomes an input, handled one at a time.
 * `start()` takes the lock, ends what an earlier agent left running, and only then connects. `stop()` ends iperf3, says goodbye and is
 * through in less than 5 s, whatever the agent was doing; `stopped` resolves when it is. The bounds add up to 4.5 s:
 * - 2.5 s for iperf3, which gets TERM at once and KILL after 2 s (LEAVE_AFTER_MS of the core), then
 * - 2 s until the broker has acknowledged what was sent, "offline" the last of it, or the connection is cut (`MqttLink.stop`);
 * - or, while it starts, 2 s for the one of `flock` and `iperf3 --version` that runs: leftovers are killed at once, and nothing follows.
 */
export class NodeAgent {
  readonly stopped: Promise<void>;
  readonly #config: AgentConfig;
  readonly #around: AgentSurroundings;
  readonly #results: ResultFolder;
  readonly #findIperf3: ReturnType<typeof iperf3Finder>;
  readonly #guards: Guards;
  /** For each iperf3 that runs: what the device has done since it was started. */
  readonly #meanwhile = new Map<number, () => Meanwhile>();
  readonly #end = new EventEmitter<{ stopped: [] }>();
  #starting = false;
  #stopping = false;
  #parts: { core: Agent; link: MqttLink } | null = null;
  #cancelWake = () => {};
  #cancelWatch = () => {};
  #unlock = () => {};

  /** Starts nothing yet. */
  constructor(config: AgentConfig, around: AgentSurroundings) {
    this.#config = config;
    this.#around = around;
    const onExit = (key: number, exit: Exit) => this.#onExit(key, exit);
    this.#guards = new Guards({ ...around, state: config.state, nice: config.nice, onExit });
    this.#findIperf3 = iperf3Finder(around.env);
    this.#results = new ResultFolder(join(config.state, 'results'), around.log);
    this.stopped = once(this.#end, 'stopped').then(() => {});
  }

  /** Connects, when nothing of an earlier agent runs any more. Rejects when another agent has the lock, or the folder cannot be used. */
  async start(): Promise<void> {
    const { clock, env, log } = this.#around;
    const { state } = this.#config;
    this.#starting = true;
    try {
      mkdirSync(state, { recursive: true, mode: 0o700 });
      this.#unlock = lockFolder(state, env);
      const ended = await endLeftovers(state, clock, () => this.#stopping);
      if (ended.length > 0) log.warn({ pids: ended }, 'ended what an earlier agent had left running');
      if (this.#stopping) return await this.#leave();
      const { iperf3, error } = await this.#findIperf3();
      if (iperf3 === null) log.warn({ error }, 'no working iperf3: runs will be declined until it is installed');
      if (this.#stopping) await this.#leave();
      else this.#connect(iperf3);
    } catch (error) {
      this.#unlock();
      this.#end.emit('stopped');
      throw error;
    }
  }

  /** Ends iperf3, publishes that the agent is offline, and closes everything. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (!this.#starting) this.#end.emit('stopped');
    this.#take({ kind: 'stop' });
    await this.stopped;
  }

  #connect(iperf3: string | null): void {
    const { device, broker, username, password, tls, limits, state } = this.#config;
    const { clock, random, log, version } = this.#around;
    const identity: AgentIdentity = {
      device,
      boot: randomId(),
      agent: version,
      host: 'node',
      iperf3,
      key_path: join(state, 'server-key.pem'),
      limits,
      random: randomId,
      stored: this.#results.load(),
    };
    rehearse(identity);
    const core = createAgent(identity);
    const topics = [
      { topic: 'command', name: commandTopic(device) },
      { topic: 'status', name: statusTopic(device) },
      { topic: 'controller', name: controllerTopic() },
    ] as const;
    const will = { topic: statusTopic(device), payload: core.lastWill(), retain: true };
    const link = new MqttLink({ url: broker, clientId: device, username, password, tls, will, clock, random, log });
    link.onConnect(() => this.#take({ kind: 'connected' }));
    link.onDisconnect(() => this.#take({ kind: 'disconnected' }));
    link.onMessage((heard, bytes) => {
      for (const { topic } of topics.filter(({ name }) => name === heard)) this.#receive(topic, bytes);
    });
    link.subscribe(topics.map(({ name }) => name));
    this.#parts = { core, link };
    link.start();
  }

  #receive(topic: 'command' | 'status' | 'controller', bytes: Uint8Array): void {
    try {
      this.#take({ kind: 'message', topic, payload: readPayload(bytes) });
    } catch (error) {
      this.#around.log.warn({ topic, error: String(error) }, 'message dropped');
    }
  }

  /** Does what the core decides. No action brings about the next input before it has returned, so that inputs do not overlap. */
  #take(input: Input): void {
    if (this.#parts === null) return;
    const { core, link } = this.#parts;
    for (const action of core.handle(input, this.#around.clock.now())) this.#do(action, link);
  }

  #do(action: Action, link: MqttLink): void {
    const { log } = this.#around;
    switch (action.kind) {
      case 'wake':
        this.#cancelWake();
        if (action.at_ms !== null) this.#wakeAt(action.at_ms);
        break;
      case 'publish':
        void this.#publish(action, link);
        break;
      case 'check':
        void this.#check(action);
        break;
      case 'arm':
        this.#guards.arm(action);
        break;
      case 'disarm':
        this.#guards.disarm(action.key);
        break;
      case 'spawn':
        this.#guards.spawn(action);
        // Only now: iperf3 is on its way, and has sent nothing yet.
        this.#meanwhile.set(action.key, watchDevice(this.#config.wan_interface, PROC_NET));
        break;
      case 'kill':
        this.#guards.kill(action);
        break;
      case 'store_result':
        this.#results.store(action.result);
        break;
      case 'forget_result':
        this.#results.forget(action.run);
        break;
      case 'log':
        // Words for people come last: what somebody waits for is on its way by then.
        setImmediate(() => log[action.level]({}, action.message));
        break;
      case 'exit':
        void this.#leave();
        break;
    }
  }

  #onExit(key: number, exit: Exit): void {
    const seen = this.#meanwhile.get(key)?.();
    this.#meanwhile.delete(key);
    this.#take({ kind: 'exited', key, ...exit, ...seen });
  }

  #wakeAt(at_ms: number): void {
    const { clock } = this.#around;
    this.#cancelWake = clock.after(at_ms - clock.now(), () => this.#take({ kind: 'wake' }));
  }

  async #check({ key, host, wan }: Extract<Action, { kind: 'check' }>): Promise<void> {
    this.#cancelWatch();
    const watched = wan ? this.#watch() : null;
    const [found, problem] = await Promise.all([this.#findIperf3(), resolveHost(host, this.#around.clock)]);
    const resolved = problem === null;
    // Who has to decline anyway does so at once.
    const traffic = found.iperf3 === null || !resolved ? null : await watched;
    this.#take({ kind: 'checked', key, iperf3: found.iperf3, resolved, error: found.error ?? problem, wan: traffic });
  }

  /** Traffic of the WAN interface, or null with a warning. Never resolves when the next check has begun, or the agent has left. */
  #watch(): Promise<WanTraffic | null> {
    const { clock, log } = this.#around;
    return new Promise((resolve) => {
      this.#cancelWatch = watchWan(this.#config.wan_interface, PROC_NET, clock, (seen) => {
        if ('problem' in seen) log.warn({ problem: seen.problem }, NOT_WATCHED);
        resolve('wan' in seen ? seen.wan : null);
      });
    });
  }

  /** Sends, if there is a connection; what is lost is sent again when the core says so. */
  async #publish(publication: Publication, link: MqttLink): Promise<void> {
    try {
      if (publication.what === 'status') await link.publish(publication.topic, publication.payload, { retain: true });
      else if (publication.what === 'event') await link.publish(publication.topic, publication.payload);
      else await link.publish(publication.topic, publication.payload);
    } catch (error) {
      this.#around.log.debug({ topic: publication.topic, error: String(error) }, 'not sent');
    }
  }

  async #leave(): Promise<void> {
    this.#guards.killAll();
    await this.#parts?.link.stop();
    this.#cancelWake();
    this.#cancelWatch();
    this.#unlock();
    this.#end.emit('stopped');
  }
}
