import { QUARANTINE_S, READY_INTERVAL_MS, START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import type { SlotEffect, SlotEvent } from '../../controller/slots/events.ts';
import { expectedMs, longestTestMs } from '../../controller/slots/plan-length.ts';
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

/** What is kept of an agent, side by side: one event touches one line of the processor's cache. */
const FIELDS = 8;
const PHASE = 0;
/** Of what is on its way to a device only what carries its present stamp still counts. */
const STAMP = 1;
const SERVER = 2;
const TOKEN = 3;
const NONCE_SENT_AT = 4;
const RUN_MS = 5;
const LONGEST_MS = 6;
/** One way, device to controller or back. */
const TRIP_MS = 7;

/** The place of `d7`, `s7` or `r7`. */
export const placeOf = (name: string): number => {
  let place = 0;
  for (let index = 1; index < name.length; index += 1) place = 10 * place + name.charCodeAt(index) - ZERO;
  return place;
};

const ZERO = 48;

/**
 * A million agents in a few arrays: what the slots see of an agent, from the text of the lease rule. One that is prepared says `ready` with
 * a new nonce every 2.5 s; it accepts a `start` only with a nonce of the last 5 s. A nonce is the millisecond at which it was sent.
 */
export class NightAgents {
  readonly #fleet: NightFleet;
  readonly #queue: NightQueue;
  readonly #random: Random;
  readonly #laws: NightLaws;
  readonly #tell: (event: SlotEvent) => void;
  readonly #fields: Float64Array;
  /** The names of a device and its run, beside each other. */
  readonly #names: string[] = [];
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
    this.#fields = new Float64Array(FIELDS * count);
    for (let who = 0; who < count; who += 1) this.#set(who, TRIP_MS, random.between(2, 60));
    for (const { device } of fleet.devices) this.#names.push(device, '');
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
    this.#names[2 * who + 1] = run;
    if (this.#trouble(who) === 'back-later') this.#queue.add(now + this.#random.between(0, 90_000), ONLINE, who, 0);
  }

  prepare({ device, server, tests }: Command<'prepare'>, now: number): void {
    const who = placeOf(device);
    const trouble = this.#trouble(who);
    const phase = this.#get(who, PHASE);
    if (trouble === 'silent' || phase === GONE) return;
    if (phase === RUNNING || phase === FINISHED_RUN) throw new Error(`${device} is prepared after its start`);
    const stamp = this.#newStamp(who);
    const checked = now + 2 * this.#get(who, TRIP_MS) + this.#random.between(20, 300);
    if (trouble === 'refuses' || (trouble === 'busy-once' && at(this.#declined, who) === 0)) {
      this.#declined[who] = 1;
      this.#queue.add(checked, DECLINED, who, stamp);
      return;
    }
    this.#set(who, PHASE, PREPARED);
    this.#set(who, SERVER, placeOf(server));
    this.#set(who, RUN_MS, expectedMs(tests));
    this.#set(who, LONGEST_MS, longestTestMs(tests));
    this.#queue.add(checked, READY, who, stamp);
  }

  start({ device, token, nonce, server }: Command<'start'>, now: number): void {
    const who = placeOf(device);
    if (placeOf(server) !== this.#get(who, SERVER)) throw new Error(`${device} was prepared for another server`);
    this.#set(who, TOKEN, token);
    this.#set(who, NONCE_SENT_AT, Number(nonce));
    this.#queue.add(now + this.#get(who, TRIP_MS), START, who, 0);
  }

  cancel({ device }: Command<'cancel'>): void {
    const who = placeOf(device);
    if (this.#get(who, PHASE) !== PREPARED) return;
    this.#set(who, PHASE, IDLE);
    this.#newStamp(who);
  }

  happen({ at: now, what, who, stamp }: Happening): void {
    if (what === START) this.#onStart(who, now);
    else if (what === ONLINE || what === OFFLINE)
      this.#tell({ type: 'status', device: `d${who}`, online: what === ONLINE, boot: BOOT });
    else if (stamp === this.#get(who, STAMP)) this.#happenStill(what, who, stamp, now);
  }

  #happenStill(what: number, who: number, stamp: number, now: number): void {
    const device = this.#names[2 * who] ?? '';
    const run = this.#names[2 * who + 1] ?? '';
    const token = this.#get(who, TOKEN);
    const trip_ms = this.#get(who, TRIP_MS);
    switch (what) {
      case READY:
        this.#queue.add(now + READY_INTERVAL_MS, READY, who, stamp);
        this.#tell({ type: 'ready', device, run, boot: BOOT, nonce: `${Math.round(now - trip_ms)}` });
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
        this.#laws.clientEnds(who, this.#get(who, SERVER));
        this.#set(who, PHASE, FINISHED_RUN);
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
    const phase = this.#get(who, PHASE);
    const stamp = this.#get(who, STAMP);
    const trip_ms = this.#get(who, TRIP_MS);
    if (phase === GONE) return;
    if (phase === RUNNING) this.#queue.add(now + trip_ms, STARTED, who, stamp);
    else if (phase === FINISHED_RUN) this.#queue.add(now + trip_ms, FINISHED, who, stamp);
    else if (phase === PREPARED && now - this.#get(who, NONCE_SENT_AT) <= START_WINDOW_MS) this.#begin(who, now);
    else throw new Error(`d${who} is started with an old nonce, or without being prepared`);
  }

  #begin(who: number, now: number): void {
    const run_ms = this.#get(who, RUN_MS) + this.#random.between(100, 800);
    this.#laws.clientStarts(who, this.#get(who, SERVER), now);
    this.#set(who, PHASE, RUNNING);
    const stamp = this.#newStamp(who);
    this.#queue.add(now + this.#get(who, TRIP_MS), STARTED, who, stamp);
    if (this.#trouble(who) !== 'loses-power') this.#queue.add(now + run_ms, END, who, stamp);
    else this.#queue.add(now + this.#random.between(100, run_ms), POWER_LOSS, who, stamp);
  }

  #losePower(who: number, now: number): void {
    const ghost_ms = this.#random.between(1000, this.#get(who, LONGEST_MS) + 1000 * QUARANTINE_S);
    this.#laws.clientVanishes(who, this.#get(who, SERVER), now + ghost_ms);
    this.#set(who, PHASE, GONE);
    this.#newStamp(who);
    this.#queue.add(now + this.#random.between(WILL_AFTER_MS / 2, WILL_AFTER_MS), OFFLINE, who, 0);
  }

  #newStamp(who: number): number {
    const stamp = this.#get(who, STAMP) + 1;
    this.#set(who, STAMP, stamp);
    return stamp;
  }

  #get(who: number, field: number): number {
    return this.#fields[FIELDS * who + field] ?? 0;
  }

  #set(who: number, field: number, value: number): void {
    this.#fields[FIELDS * who + field] = value;
  }

  #trouble(who: number): Trouble {
    return TROUBLES[at(this.#fleet.troubles, who)] ?? 'none';
  }
}
