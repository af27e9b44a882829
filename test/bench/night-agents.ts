import { QUARANTINE_S, READY_INTERVAL_MS, START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import type { SlotEffect, SlotEvent } from '../../controller/slots/events.ts';
import { longestTestMs } from '../../controller/slots/plan-length.ts';
import type { Random } from '../simulation/random.ts';
import { type NightFleet, TROUBLES, type Trouble } from './night-fleet.ts';
import type { NightLaws } from './night-laws.ts';
import { at, type Happening, type NightQueue } from './night-queue.ts';

type Command<T extends SlotEffect['type']> = Extract<SlotEffect, { type: T }>;

/** What can happen to a device; messages to the controller happen when they arrive there. */
const READY = 0;
const DECLINED = 1;
const START = 2;
const STARTED = 3;
const END = 4;
const POWER_LOSS = 5;
const FINISHED = 6;
const ONLINE = 7;
const OFFLINE = 8;

/** What an agent is doing. */
const IDLE = 0;
const PREPARED = 1;
const RUNNING = 2;
const FINISHED_RUN = 3;
const GONE = 4;

/** A will is published when the broker misses the keepalive. */
const WILL_AFTER_MS = 90_000;

const BOOT = 'boot-1';

/** The place of `d7`, `s7` or `r7`. */
export const placeOf = (name: string): number => Number(name.slice(1));

/**
 * A million agents in a few arrays: what the slots see of an agent, from the text of the lease rule. One that is prepared says `ready` with
 * a new nonce every 2.5 s; it accepts a `start` only with a nonce of the last 5 s. Nonces are the times at which they were sent.
 */
export class NightAgents {
  readonly #fleet: NightFleet;
  readonly #queue: NightQueue;
  readonly #random: Random;
  readonly #laws: NightLaws;
  readonly #tell: (event: SlotEvent) => void;
  readonly #phase: Uint8Array;
  /** Of what is on its way to a device only what carries its present stamp still counts. */
  readonly #stamp: Int32Array;
  readonly #server: Int32Array;
  readonly #token: Int32Array;
  readonly #nonce_sent_at: Float64Array;
  readonly #run_ms: Float32Array;
  readonly #longest_ms: Float32Array;
  /** One way, device to controller or back. */
  readonly #trip_ms: Float32Array;
  readonly #runs: string[];
  /** It declined once already. */
  readonly #declined: Uint8Array;

  constructor(
    fleet: NightFleet,
    { queue, random, laws }: { queue: NightQueue; random: Random; laws: NightLaws },
    tell: (event: SlotEvent) => void,
  ) {
    const count = fleet.devices.length;
    this.#fleet = fleet;
    this.#queue = queue;
    this.#random = random;
    this.#laws = laws;
    this.#tell = tell;
    this.#phase = new Uint8Array(count);
    this.#stamp = new Int32Array(count);
    this.#server = new Int32Array(count);
    this.#token = new Int32Array(count);
    this.#nonce_sent_at = new Float64Array(count);
    this.#run_ms = new Float32Array(count);
    this.#longest_ms = new Float32Array(count);
    this.#trip_ms = Float32Array.from({ length: count }, () => random.between(2, 60));
    this.#runs = new Array<string>(count).fill('');
    this.#declined = new Uint8Array(count);
  }

  /** Everybody connects whose device is not offline. */
  connect(): void {
    for (const [who, { device }] of this.#fleet.devices.entries()) {
      const trouble = this.#trouble(who);
      if (trouble === 'back-later' || trouble === 'never-back') continue;
      this.#tell({ type: 'status', device, online: true, boot: BOOT });
    }
  }

  /** The run of the device became due: who comes back does so about now. */
  runIsDue(who: number, run: string, now: number): void {
    this.#runs[who] = run;
    if (this.#trouble(who) === 'back-later') this.#queue.add(now + this.#random.between(0, 90_000), ONLINE, who, 0);
  }

  prepare({ device, server, tests }: Command<'prepare'>, now: number): void {
    const who = placeOf(device);
    const trouble = this.#trouble(who);
    const phase = at(this.#phase, who);
    if (trouble === 'silent' || phase === GONE) return;
    if (phase === RUNNING || phase === FINISHED_RUN) throw new Error(`${device} is prepared after its start`);
    const stamp = this.#newStamp(who);
    const checked = now + 2 * at(this.#trip_ms, who) + this.#random.between(20, 300);
    if (trouble === 'refuses' || (trouble === 'busy-once' && at(this.#declined, who) === 0)) {
      this.#declined[who] = 1;
      this.#queue.add(checked, DECLINED, who, stamp);
      return;
    }
    this.#phase[who] = PREPARED;
    this.#server[who] = placeOf(server);
    this.#run_ms[who] = tests.reduce((sum, one) => sum + 1000 * (one.duration_s + one.omit_s), 0);
    this.#longest_ms[who] = longestTestMs(tests);
    this.#queue.add(checked, READY, who, stamp);
  }

  start({ device, token, nonce, server }: Command<'start'>, now: number): void {
    const who = placeOf(device);
    if (placeOf(server) !== at(this.#server, who)) throw new Error(`${device} was prepared for another server`);
    this.#token[who] = token;
    this.#nonce_sent_at[who] = Number(nonce);
    this.#queue.add(now + at(this.#trip_ms, who), START, who, 0);
  }

  cancel({ device }: Command<'cancel'>): void {
    const who = placeOf(device);
    if (at(this.#phase, who) !== PREPARED) return;
    this.#phase[who] = IDLE;
    this.#newStamp(who);
  }

  happen({ at: now, what, who, stamp }: Happening): void {
    if (what === START) this.#onStart(who, now);
    else if (what === ONLINE || what === OFFLINE)
      this.#tell({ type: 'status', device: `d${who}`, online: what === ONLINE, boot: BOOT });
    else if (stamp === at(this.#stamp, who)) this.#happenStill(what, who, stamp, now);
  }

  #happenStill(what: number, who: number, stamp: number, now: number): void {
    const device = this.#fleet.devices[who]?.device ?? '';
    const run = this.#runs[who] ?? '';
    const token = at(this.#token, who);
    const trip_ms = at(this.#trip_ms, who);
    switch (what) {
      case READY:
        this.#queue.add(now + READY_INTERVAL_MS, READY, who, stamp);
        this.#tell({ type: 'ready', device, run, boot: BOOT, nonce: `${now - trip_ms}` });
        break;
      case DECLINED: {
        const reason = this.#trouble(who) === 'refuses' ? 'iperf3-missing: not found on PATH' : 'busy: another run';
        this.#tell({ type: 'declined', device, run, boot: BOOT, token: null, nonce: null, reason });
        break;
      }
      case STARTED:
        this.#tell({ type: 'started', device, run, boot: BOOT, token });
        break;
      case END:
        this.#laws.clientEnds(who, at(this.#server, who));
        this.#phase[who] = FINISHED_RUN;
        // `finished`, then the result, which also says that the run is over.
        this.#queue.add(now + trip_ms, FINISHED, who, stamp);
        this.#queue.add(now + trip_ms + this.#random.between(10, 200), FINISHED, who, stamp);
        break;
      case POWER_LOSS:
        this.#losePower(who, now);
        break;
      case FINISHED:
        this.#tell({ type: 'finished', device, run, token });
        break;
    }
  }

  #onStart(who: number, now: number): void {
    const phase = at(this.#phase, who);
    const stamp = at(this.#stamp, who);
    const trip_ms = at(this.#trip_ms, who);
    if (phase === GONE) return;
    if (phase === RUNNING) this.#queue.add(now + trip_ms, STARTED, who, stamp);
    else if (phase === FINISHED_RUN) this.#queue.add(now + trip_ms, FINISHED, who, stamp);
    else if (phase === PREPARED && now - at(this.#nonce_sent_at, who) <= START_WINDOW_MS) this.#begin(who, now);
    else throw new Error(`d${who} is started with an old nonce, or without being prepared`);
  }

  #begin(who: number, now: number): void {
    const run_ms = at(this.#run_ms, who) + this.#random.between(100, 800);
    this.#laws.clientStarts(who, at(this.#server, who), now);
    this.#phase[who] = RUNNING;
    const stamp = this.#newStamp(who);
    this.#queue.add(now + at(this.#trip_ms, who), STARTED, who, stamp);
    if (this.#trouble(who) !== 'loses-power') this.#queue.add(now + run_ms, END, who, stamp);
    else this.#queue.add(now + this.#random.between(100, run_ms), POWER_LOSS, who, stamp);
  }

  #losePower(who: number, now: number): void {
    const ghost_ms = this.#random.between(1000, at(this.#longest_ms, who) + 1000 * QUARANTINE_S);
    this.#laws.clientVanishes(who, at(this.#server, who), now + ghost_ms);
    this.#phase[who] = GONE;
    this.#newStamp(who);
    this.#queue.add(now + this.#random.between(WILL_AFTER_MS / 2, WILL_AFTER_MS), OFFLINE, who, 0);
  }

  #newStamp(who: number): number {
    const stamp = at(this.#stamp, who) + 1;
    this.#stamp[who] = stamp;
    return stamp;
  }

  #trouble(who: number): Trouble {
    return TROUBLES[at(this.#fleet.troubles, who)] ?? 'none';
  }
}
