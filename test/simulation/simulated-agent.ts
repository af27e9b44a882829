import type { TestPlan } from '../../broker/contract/messages.ts';
import { PREPARE_TTL_MS, READY_INTERVAL_MS, RESEND_FIRST_MS, START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import type { SlotEffect, SlotEvent } from '../../controller/slots/events.ts';
import { longestTestMs } from '../../controller/slots/plan-length.ts';
import type { Laws, Process } from './laws.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

type Effect<T extends SlotEffect['type']> = Extract<SlotEffect, { type: T }>;
export type Command =
  | Effect<'prepare'>
  | Effect<'start'>
  | Effect<'cancel'>
  | { type: 'accepted'; device: string; run: string; token: number };

export type Report =
  | Extract<SlotEvent, { type: 'status' | 'ready' | 'declined' | 'started' | 'finished' }>
  | { type: 'result'; device: string; run: string; token: number };

export interface AgentWorld {
  timeline: Timeline;
  random: Random;
  network: Network;
  laws: Laws;
  toBroker: (report: Report) => void;
}

interface Prepared {
  command: Effect<'prepare'>;
  ready: boolean;
  nonces: { nonce: string; sent_at: number }[];
  since: number;
}

interface Running {
  run: string;
  token: number;
  nonce: string;
  process: Process | null;
  /** Takes the timers back that would spawn, end or kill the process. */
  disarm: (() => void)[];
}

/** An agent written from the text of the lease rule, on a device that may crash or lose its power. */
export class SimulatedAgent {
  readonly device: string;
  readonly #world: AgentWorld;
  readonly #offset_ms: number;
  readonly #rate: number;
  #boots = 0;
  #nonces = 0;
  #boot: string | null = null;
  #connected = false;
  #prepared: Prepared | null = null;
  #running: Running | null = null;
  #leftover: Running | null = null;
  readonly #dead = new Set<number>();
  /** On RAM disk: outlives the agent, not the device. By token, the run. */
  readonly #kept = new Map<number, string>();
  /** Share of the prepares that it refuses. */
  refusing: number;

  constructor(device: string, world: AgentWorld) {
    this.device = device;
    this.#world = world;
    this.#offset_ms = world.random.between(-1e7, 1e7);
    this.#rate = world.random.between(0.9995, 1.0005);
    this.refusing = world.random.chance(0.3) ? 0.1 : 0;
  }

  get isUp(): boolean {
    return this.#boot !== null;
  }

  /** What a previous start left running has ended before it connects. */
  powerOn(): void {
    if (this.#leftover !== null) this.#stopProcess(this.#leftover, false);
    this.#leftover = null;
    this.#boots += 1;
    const boot = `${this.device}-b${this.#boots}`;
    this.#boot = boot;
    this.connect();
    this.#after(RESEND_FIRST_MS, () => this.#keepResending(boot));
  }

  connect(): void {
    const boot = this.#boot;
    if (boot === null) return;
    this.#connected = true;
    this.#say({ type: 'status', device: this.device, online: true, boot });
    this.#sendKept();
  }

  disconnect(): void {
    if (this.#boot !== null) this.#loseConnection(this.#boot);
  }

  /** The agent dies; its guard ends iperf3 sooner or later. */
  crash() {
    const boot = this.#boot;
    if (boot === null) return;
    const running = this.#running;
    this.#forgetAll(boot);
    if (running === null) return;
    if (running.process === null) return this.#stopProcess(running, false);
    this.#leftover = running;
    const { random, timeline } = this.#world;
    if (random.chance(0.5)) return;
    running.disarm.push(timeline.after(random.between(0, 2000), () => this.#stopProcess(running, false)));
  }

  /** The device loses its power: iperf3 vanishes without a goodbye, and the RAM disk with it. */
  losePower(): void {
    const boot = this.#boot;
    const process = this.#running ?? this.#leftover;
    if (process !== null) this.#stopProcess(process, true);
    this.#leftover = null;
    this.#kept.clear();
    if (boot !== null) this.#forgetAll(boot);
  }

  receive(command: Command): void {
    if (!this.#connected || this.#boot === null) return;
    if (command.type === 'prepare') this.#onPrepare(command, this.#boot);
    else if (command.type === 'start') this.#onStart(command, this.#boot);
    else if (command.type === 'cancel') this.#onCancel(command.run, this.#boot);
    else this.#kept.delete(command.token);
  }

  #onPrepare(command: Effect<'prepare'>, boot: string) {
    const { run } = command;
    const { device } = this;
    if (this.#running?.run === run)
      return this.#say({ type: 'started', device, run, boot, token: this.#running.token });
    for (const [token, kept] of this.#kept) if (kept === run) return this.#sayFinished(run, token);
    if (this.#world.random.chance(this.refusing)) return this.#refuse(run, 'iperf3-missing: not found', boot);
    if (this.#running !== null) return this.#refuse(run, 'busy: another run', boot);
    const known = this.#prepared;
    if (known !== null && JSON.stringify(known.command) === JSON.stringify(command)) {
      known.since = this.#now();
      if (known.ready) this.#offer(known, boot);
      return;
    }
    if (known !== null && known.command.run !== run)
      this.#refuse(known.command.run, 'superseded: by another run', boot);
    const prepared: Prepared = { command, ready: false, nonces: [], since: this.#now() };
    this.#prepared = prepared;
    this.#after(this.#world.random.between(0, 1000), () => {
      prepared.ready = true;
      this.#keepReady(prepared, boot);
    });
  }

  #onStart({ run, token, nonce, server, lease_ms }: Effect<'start'>, boot: string) {
    const { device } = this;
    if (this.#running?.token === token) return this.#say({ type: 'started', device, run, boot, token });
    if (this.#kept.has(token)) return this.#sayFinished(run, token);
    const prepared = this.#prepared;
    const fits =
      prepared !== null &&
      this.#running === null &&
      !this.#dead.has(token) &&
      prepared.command.run === run &&
      prepared.command.server === server &&
      prepared.command.lease_ms === lease_ms &&
      prepared.nonces.some((known) => known.nonce === nonce && this.#now() - known.sent_at <= START_WINDOW_MS);
    if (!fits) {
      this.#dead.add(token);
      this.#say({ type: 'declined', device, run, boot, token, nonce, reason: 'not startable' });
      return;
    }
    this.#prepared = null;
    this.#begin(prepared.command, token, nonce, boot);
  }

  #onCancel(run: string, boot: string): void {
    if (this.#prepared?.command.run === run) this.#prepared = null;
    for (const [token, kept] of this.#kept) if (kept === run) this.#kept.delete(token);
    const running = this.#running;
    if (running === null || running.run !== run) return;
    this.#stopProcess(running, false);
    this.#running = null;
    const { token, nonce } = running;
    this.#dead.add(token);
    this.#say({ type: 'declined', device: this.device, run, boot, token, nonce, reason: 'cancelled' });
  }

  #begin({ run, server, tests, lease_ms }: Effect<'prepare'>, token: number, nonce: string, boot: string): void {
    const { random, laws } = this.#world;
    const running: Running = { run, token, nonce, process: null, disarm: [] };
    this.#running = running;
    running.disarm.push(this.#after(lease_ms, () => this.#finish(running)));
    const spawn_ms = random.between(0, 100);
    running.disarm.push(
      this.#after(spawn_ms, () => {
        running.process = { device: this.device, server, run, token, longest_ms: longestTestMs(tests) };
        laws.processStarts(running.process);
      }),
    );
    if (random.chance(0.9)) {
      running.disarm.push(
        this.#after(spawn_ms + lengthMs(tests) + random.between(0, 2000), () => this.#finish(running)),
      );
    }
    this.#say({ type: 'started', device: this.device, run, boot, token });
  }

  /** Also called for what a crashed agent left running: its guard's timer outlives it. */
  #finish(running: Running): void {
    this.#stopProcess(running, false);
    if (this.#running !== running) return;
    this.#running = null;
    this.#kept.set(running.token, running.run);
    this.#sayFinished(running.run, running.token);
  }

  #stopProcess(running: Running, vanished: boolean): void {
    for (const disarm of running.disarm) disarm();
    if (running.process !== null) this.#world.laws.processEnds(running.process, vanished);
    running.process = null;
  }

  #keepReady(prepared: Prepared, boot: string): void {
    if (this.#prepared !== prepared) return;
    if (this.#now() - prepared.since >= PREPARE_TTL_MS) {
      this.#prepared = null;
      return;
    }
    this.#offer(prepared, boot);
    this.#after(READY_INTERVAL_MS, () => this.#keepReady(prepared, boot));
  }

  #offer(prepared: Prepared, boot: string): void {
    this.#nonces += 1;
    const nonce = `${boot}-n${this.#nonces}`;
    prepared.nonces = [...prepared.nonces.slice(-9), { nonce, sent_at: this.#now() }];
    this.#say({ type: 'ready', device: this.device, run: prepared.command.run, boot, nonce });
  }

  #refuse(run: string, reason: string, boot: string): void {
    if (this.#prepared?.command.run === run) this.#prepared = null;
    this.#say({ type: 'declined', device: this.device, run, boot, token: null, nonce: null, reason });
  }

  #sendKept(): void {
    for (const [token, run] of this.#kept) this.#sayFinished(run, token);
  }

  #keepResending(boot: string): void {
    if (this.#boot !== boot) return;
    this.#sendKept();
    this.#after(RESEND_FIRST_MS, () => this.#keepResending(boot));
  }

  #sayFinished(run: string, token: number): void {
    const { device } = this;
    this.#say({ type: 'finished', device, run, token });
    this.#say({ type: 'result', device, run, token });
  }

  #say(report: Report): void {
    if (this.#connected) this.#world.network.carry(() => this.#world.toBroker(report));
  }

  #forgetAll(boot: string): void {
    this.#loseConnection(boot);
    this.#boot = null;
    this.#prepared = null;
    this.#running = null;
    this.#dead.clear();
  }

  /** The broker publishes the last will when it notices. */
  #loseConnection(boot: string): void {
    if (!this.#connected) return;
    this.#connected = false;
    const { random, timeline, toBroker } = this.#world;
    const noticed = random.between(0, random.chance(0.5) ? 1000 : 90_000);
    timeline.after(noticed, () => {
      if (this.#boot === boot && this.#connected) return;
      toBroker({ type: 'status', device: this.device, online: false, boot });
    });
  }

  /** By its own clock. */
  #now(): number {
    return this.#offset_ms + this.#rate * this.#world.timeline.now;
  }

  #after(ms: number, action: () => void): () => void {
    return this.#world.timeline.after(ms / this.#rate, action);
  }
}

const lengthMs = (tests: readonly TestPlan[]): number =>
  tests.reduce((sum, test) => sum + 1000 * (test.duration_s + test.omit_s), 0);
