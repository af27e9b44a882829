import type { Clock } from '../../broker/clock.ts';
import { checkOf } from '../../controller/schedule/check-of.ts';
import { type NightMark, timetableKey } from '../../controller/schedule/night.ts';
import { type DueRun, planNight } from '../../controller/schedule/plan-night.ts';
import { reasonCode } from '../../controller/slots/answers.ts';
import type { Ending, RunRequest, SlotEffect, SlotEvent } from '../../controller/slots/events.ts';
import { Slots } from '../../controller/slots/slots.ts';
import { Random } from '../simulation/random.ts';
import { NightAgents, placeOf } from './night-agents.ts';
import { EVENING_MS, type NightFleet } from './night-fleet.ts';
import { NightLaws } from './night-laws.ts';
import { NightQueue } from './night-queue.ts';
import { NightUse } from './night-use.ts';

/** The wall clock when simulated time begins: a minute before the first night. */
const BEGIN_MS = EVENING_MS - 60_000;

/** Kinds of the queue from here on are not of a device. */
const PROBED = 100;

/** Every so many steps of the slots one is timed: a prime, so that it falls into step with nothing. */
const SAMPLE = 61;

/** A `tick` that asks for another at the same moment, so often: it would go on for ever. */
const STUCK = 1000;

export interface NightOptions {
  fleet: NightFleet;
  seed: number;
  /** The real one: it times parts of the work. */
  clock: Pick<Clock, 'now'>;
}

/**
 * One night of a fleet: the real schedule and slots, simulated time, agents that only answer. It does what the controller does with events
 * and effects, without a store and without a broker. Throws when a law is broken.
 */
export class NightSimulation {
  readonly #fleet: NightFleet;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #queue = new NightQueue();
  readonly #random: Random;
  readonly #slots: Slots;
  readonly #agents: NightAgents;
  readonly laws: NightLaws;
  readonly use: NightUse;
  readonly #history = new Map<string, NightMark>();
  #now = 0;
  #wake_at = Number.POSITIVE_INFINITY;
  #look_at = 0;
  #ticks_at_once = 0;
  grants = 0;
  /** Steps of the slots: an event each. */
  steps = 0;
  #sampled = 0;
  #sampled_ms = 0;
  /** In planNight, all nights together. */
  plan_ms = 0;
  /** In planNight when it last found nothing due: the controller looks every minute. */
  idle_look_ms = 0;

  constructor({ fleet, seed, clock }: NightOptions) {
    this.#fleet = fleet;
    this.#clock = clock;
    const random = new Random(seed);
    this.#random = random;
    const { servers, host_groups, uplink_groups } = fleet;
    this.#slots = new Slots({ servers, host_groups, uplink_groups, last_token: 0, random: () => random.next() });
    this.laws = new NightLaws(fleet);
    this.use = new NightUse(fleet);
    const world = { queue: this.#queue, random, laws: this.laws };
    this.#agents = new NightAgents(fleet, world, (event) => this.#handle(event));
  }

  /** From the agents' connecting to the end of the last run. */
  run(): void {
    this.#handle({ type: 'in-charge', yes: true });
    this.#agents.connect();
    while (this.laws.due < this.#fleet.devices.length || this.laws.open > 0) this.#next();
    this.#look();
  }

  /** In Slots, by the steps that were timed. */
  get slots_ms(): number {
    return this.#sampled === 0 ? 0 : (this.#sampled_ms / this.#sampled) * this.steps;
  }

  /** Events of the queue. */
  get events(): number {
    return this.#queue.taken;
  }

  #next(): void {
    const at = Math.min(this.#queue.next_at, this.#wake_at, this.#look_at);
    if (at === Number.POSITIVE_INFINITY)
      throw new Error(`nothing happens any more, and ${this.laws.open} runs are open`);
    this.#ticks_at_once = at > this.#now ? 0 : this.#ticks_at_once;
    this.#now = Math.max(at, this.#now);
    if (at === this.#look_at) this.#look();
    else if (at === this.#wake_at) this.#tick();
    else {
      const happening = this.#queue.take();
      if (happening.what !== PROBED) this.#agents.happen(happening);
      else this.#handle({ type: 'probed', server: `s${happening.who}`, verdict: this.laws.probe(happening.who, at) });
    }
  }

  #tick(): void {
    this.#ticks_at_once += 1;
    if (this.#ticks_at_once > STUCK) throw new Error('the slots ask for one tick after another and never rest');
    this.#handle({ type: 'tick' });
  }

  /** What the controller does when a night begins; each of its runs is known from here on. */
  #look(): void {
    const { organizations, devices } = this.#fleet;
    const done = [...this.#history.values()];
    const began = this.#clock.now();
    const plan = planNight({ organizations, devices: () => devices, done, now_ms: BEGIN_MS + this.#now });
    const took_ms = this.#clock.now() - began;
    if (plan.due.length > 0) this.plan_ms += took_ms;
    else this.idle_look_ms = took_ms;
    if (plan.missed.length > 0) throw new Error('a night was missed');
    for (const mark of plan.planned) this.#history.set(`${mark.organization} ${timetableKey(mark)}`, mark);
    this.#look_at = plan.next_wake_ms === null ? Number.POSITIVE_INFINITY : plan.next_wake_ms - BEGIN_MS;
    for (const run of plan.due) this.#submit(run);
  }

  #submit({ device, organization, tests, not_before_ms, window_end_ms }: DueRun): void {
    const who = placeOf(device);
    const about = this.#fleet.devices[who];
    const settings = this.#fleet.organizations.get(organization);
    if (about === undefined || settings === undefined) throw new Error(`${device} of ${organization} is unknown`);
    const { tags, uplink_group } = about;
    const { servers } = settings;
    const { priority, max_cross_traffic } = checkOf(settings, tags);
    const run = `r${who}`;
    const not_before = not_before_ms - BEGIN_MS;
    const window_end = window_end_ms - BEGIN_MS;
    const request: RunRequest = {
      run,
      device,
      organization,
      tags,
      servers,
      uplink_group,
      tests,
      on_demand: false,
      priority,
      max_cross_traffic,
      not_before,
      window_end,
    };
    this.laws.runIsDue(who);
    this.use.runIsDue(who, this.#now);
    this.#agents.runIsDue(who, run, this.#now);
    this.#handle({ type: 'submit', request });
  }

  #handle(event: SlotEvent): void {
    this.steps += 1;
    if (this.steps % SAMPLE > 0) {
      const effects = this.#slots.handle(event, this.#now);
      this.#wake_at = this.#slots.wake(this.#now);
      this.#perform(effects);
      return;
    }
    const began = this.#clock.now();
    const effects = this.#slots.handle(event, this.#now);
    this.#wake_at = this.#slots.wake(this.#now);
    this.#sampled_ms += this.#clock.now() - began;
    this.#sampled += 1;
    this.#perform(effects);
  }

  #perform(effects: readonly SlotEffect[]): void {
    const overdue = effects.some((effect) => effect.type === 'ended' && effect.ending.how === 'overdue');
    for (const effect of effects) this.#do(effect, !overdue);
  }

  #do(effect: SlotEffect, clean: boolean): void {
    switch (effect.type) {
      case 'prepare':
        this.#agents.prepare(effect, this.#now);
        break;
      case 'start':
        this.#agents.start(effect, this.#now);
        break;
      case 'cancel':
        this.#agents.cancel(effect);
        break;
      case 'granted':
        this.grants += 1;
        this.use.granted(placeOf(effect.lease.device), placeOf(effect.lease.server), this.#now);
        break;
      case 'slot':
        if (effect.lease === null) this.use.released(placeOf(effect.server), clean, this.#now);
        break;
      case 'released':
        this.#ends(effect.run, 'released');
        break;
      case 'ended':
        this.#ends(effect.run, wordsOf(effect.ending));
        break;
      case 'probe':
        this.#queue.add(this.#now + this.#random.between(5, 100), PROBED, placeOf(effect.server), 0);
        break;
      case 'phase':
      case 'save-lease':
      case 'drop-lease':
      case 'unprobed':
        break;
    }
  }

  #ends(run: string, how: string): void {
    this.laws.runEnds(placeOf(run), how);
    this.use.waitsNoMore(placeOf(run), this.#now);
  }
}

const wordsOf = ({ how, reason }: Ending): string => `${how}: ${reasonCode(reason)}`;
