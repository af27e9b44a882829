import type { Inbound } from '../../broker/contract/inbound.ts';
import { CLAIM_WAIT_MS, OVERDUE_MS } from '../../broker/contract/numbers.ts';
import type { Outcome } from '../../controller/run-record.ts';
import { requestOfLease, runRequest } from '../../controller/runs/run-request.ts';
import { strangerRest } from '../../controller/runs/stranger.ts';
import { checkOf } from '../../controller/schedule/check-of.ts';
import type { SuppressionScope } from '../../controller/schedule/suppression.ts';
import type { RunRequest, SlotEvent } from '../../controller/slots/events.ts';
import { Slots, type SlotView } from '../../controller/slots/slots.ts';
import type { NewRun, RunRow } from '../../controller/store/runs.ts';
import type { Broker, FromController } from './broker.ts';
import { ClaimKeeper } from './claim-keeper.ts';
import { ControllerLink } from './controller-link.ts';
import { Disk } from './disk.ts';
import type { Fleet } from './fleet.ts';
import { Hands } from './hands.ts';
import type { Iperf3Server } from './iperf3-server.ts';
import type { Laws } from './laws/laws.ts';
import { lookForNights } from './planner.ts';
import type { PromiseName } from './promises.ts';
import type { Random } from './random.ts';
import { Settlement } from './settlement.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** The wall clock is looked at this often at least: it may jump. */
const LOOK_MS = 60_000;

/** What runs later in the event loop runs this much later. */
const TURN_MS = 2;

export interface ControllerWorld {
  timeline: Timeline;
  random: Random;
  broker: Broker;
  laws: Laws;
  trace: Trace;
  fleet: Fleet;
  servers: ReadonlyMap<string, Iperf3Server>;
  /** Devices over their budget: no run of theirs is to be tried. */
  over_budget: ReadonlySet<string>;
  broken: PromiseName | null;
  ended: (outcome: Outcome, reason: string | null) => void;
}

/** A planned maintenance window of a server, in simulated time. */
export interface Maintenance {
  server: string;
  from: number;
  to: number;
}

/** Thrown by a crash in the middle of a step. */
class Crash extends Error {}

/** What makes one life of the process; made anew by each start. */
interface Life {
  boot: string;
  slots: Slots;
  link: ControllerLink;
  claim: ClaimKeeper;
  hands: Hands;
  queue: SlotEvent[];
  busy: boolean;
  cancelWake: () => void;
  cancelLook: () => void;
}

/**
 * A controller's process around the product's schedule, slots, claim and decisions about results. It may die between any two effects;
 * only its disk remains. Its wall clock jumps, its monotonic clock runs a little fast or slow and begins anywhere.
 */
export class SimulatedController {
  readonly name: string;
  readonly disk: Disk;
  readonly #world: ControllerWorld;
  readonly #rate: number;
  readonly #maintenance: readonly Maintenance[];
  readonly #settlement: Settlement;
  #mono_offset_ms = 0;
  #wall_offset_ms: number;
  #crash_chance = 0;
  #boots = 0;
  #runs = 0;
  #life: Life | null = null;
  #plans_nights = true;
  #looked_at = 0;
  #next_night: number | null = null;

  constructor(name: string, world: ControllerWorld, wall_offset_ms: number, maintenance: readonly Maintenance[]) {
    this.name = name;
    this.#world = world;
    this.disk = new Disk(world.broken);
    this.#rate = world.random.between(0.9995, 1.0005);
    this.#wall_offset_ms = wall_offset_ms;
    this.#maintenance = maintenance;
    this.#settlement = new Settlement({
      disk: this.disk,
      laws: world.laws.recordsOf(name),
      random: () => world.random.next(),
      checkOf: (run) => {
        const organization = world.fleet.settings.organizations.get(run.organization);
        const tags = this.#member(run.device)?.tags ?? [];
        return organization === undefined ? { retries: 0, backoff_ms: 0 } : checkOf(organization, tags);
      },
      onEnd: world.ended,
    });
  }

  get isUp(): boolean {
    return this.#life !== null;
  }

  get isInCharge(): boolean {
    return this.#life?.claim.isInCharge === true;
  }

  view(): SlotView[] {
    return this.#life?.slots.view() ?? [];
  }

  wall(): number {
    return this.#wall_offset_ms + this.#world.timeline.now;
  }

  start(): void {
    if (this.#life !== null) return;
    const { random, fleet, laws } = this.#world;
    this.#boots += 1;
    this.#next_night = null;
    this.#mono_offset_ms = random.between(0, 1e9);
    const boot = `${this.name}-${this.#boots}`;
    const { host_groups, uplink_groups, settings } = fleet;
    const { last_token } = this.disk;
    const slots = new Slots({
      servers: [...settings.servers.values()],
      host_groups,
      uplink_groups,
      last_token,
      random: () => random.next(),
    });
    const life = this.#birth(boot, slots);
    this.#life = life;
    this.#tell(() => `starts as ${boot}`);
    const leases = this.disk.leasesInOrder();
    laws.leasesOf(this.name).controllerStarts(leases);
    const leased = new Set(leases.map(({ run }) => run));
    const found = leases.map((row) => {
      const run = this.disk.runs.get(row.run);
      if (run === undefined) return { row, request: requestOfLease(row, this.#now()), cancelled: 'the run is unknown' };
      const request = { ...this.#request(run), tests: row.tests };
      return { row, request, cancelled: run.state === 'final' ? 'the run was over' : null };
    });
    this.#survive(() => {
      for (const event of this.#bans()) life.hands.perform(slots.handle(event, this.#now()));
      life.hands.perform(slots.recover(found, this.#now()));
      for (const run of [...this.disk.runs.rows.values()])
        if (run.state !== 'final' && !leased.has(run.run) && !run.awaits_result) this.#submit(run.run);
      this.#rearm();
      this.#look();
    });
    if (this.#life === life) this.#after(random.between(0, 300), () => life.link.connect());
  }

  /** Dies at once. */
  crash(): void {
    this.#tell(() => 'crashes');
    this.#die();
    this.disk.crash();
  }

  /** Most likely it dies between two effects of the next steps. */
  crashSoon(): void {
    this.#crash_chance = 0.1;
  }

  calm(): void {
    this.#crash_chance = 0;
  }

  /** Stops in order, and says goodbye. */
  stop(): void {
    const life = this.#life;
    if (life === null) return;
    this.#tell(() => 'stops in order');
    this.#survive(() => life.hands.flush());
    if (this.#life === life) this.#die({ online: false, boot: life.boot, version: null });
  }

  breakDown(): void {
    this.#life?.link.breakDown();
  }

  /** The wall clock is set. */
  jump(ms: number): void {
    this.#wall_offset_ms += ms;
    this.#tell(() => `its wall clock jumps by ${Math.round(ms / 1000)} s`);
  }

  /** No more nights are planned: the story comes to its end. */
  lastNight(): void {
    this.#plans_nights = false;
  }

  /** A person asks for a run. Null when nobody is there to take it. */
  demand(run: Pick<NewRun, 'device' | 'organization' | 'server' | 'tests'>, patience_ms: number): string | null {
    const id = this.#newRunId();
    if (this.#life === null) return null;
    const at = this.wall();
    const times = { requested_at_ms: at, not_before_ms: at, window_end_ms: at + patience_ms };
    this.disk.add({ ...run, ...times, run: id, origin: 'demand', night: null });
    this.#survive(() => this.#submit(id));
    return id;
  }

  /** A person cancels any run that is not over. */
  cancel(run: RunRow): void {
    const life = this.#life;
    if (life === null) return;
    const reason = 'by a person';
    this.#survive(() => {
      this.#handle({ type: 'cancel', run: run.run, reason });
      if (!this.#settlement.end(run.run, 'cancelled', reason, this.wall())) return;
      life.link.send({ kind: 'command', device: run.device, payload: { type: 'cancel', run: run.run, reason } });
    });
  }

  /** The kill switch: until a time by the wall clock. With `stop_running` what runs is cancelled too. */
  suppress(scope: SuppressionScope, for_ms: number): void {
    if (this.#life === null) return;
    this.disk.suppressions = [...this.disk.suppressions, { scope, until_wall: this.wall() + for_ms }];
    this.#survive(() => this.#tellBans());
  }

  resume(): void {
    this.disk.suppressions = [];
    this.#survive(() => this.#tellBans());
  }

  openRuns(): RunRow[] {
    return [...this.disk.runs.rows.values()].filter(({ state }) => state !== 'final');
  }

  #birth(boot: string, slots: Slots): Life {
    const { timeline, random, broker, broken, trace } = this.#world;
    const own = { online: true, boot, version: null };
    const claim = new ClaimKeeper({
      boot,
      broken,
      now: () => this.#now(),
      after: (ms, action) => this.#after(ms, action),
      publish: () => life.link.send({ kind: 'controller', payload: own }),
      onChange: (in_charge) => {
        this.#tell(() => (in_charge ? 'is in charge' : 'is not in charge'));
        this.#survive(() => {
          if (in_charge) for (const effect of slots.slotEffects(this.#now())) life.hands.showSlot(effect);
          this.#handle({ type: 'in-charge', yes: in_charge });
        });
      },
      onYield: () => {
        this.#tell(() => 'gives way to another controller');
        this.#survive(() => life.hands.flush());
        this.#die(null, true);
      },
    });
    const link = new ControllerLink({
      timeline,
      random,
      broker,
      will: { ...own, online: false },
      onMessage: (message, retained) => this.#survive(() => this.#hear(message, retained)),
      onConnect: () => claim.connected(),
      onDisconnect: () => claim.disconnected(),
    });
    const hands = new Hands({
      disk: this.disk,
      settlement: this.#settlement,
      laws: this.#world.laws.leasesOf(this.name),
      wall: () => this.wall(),
      send: (message) => this.#send(message),
      mayCrash: () => this.#mayCrash(),
      later: (work) => this.#after(TURN_MS, () => this.#survive(work)),
      objection: (run) => (this.#world.over_budget.has(this.disk.runs.get(run)?.device ?? '') ? 'over-budget' : null),
      probe: (server) => this.#probe(server),
      granted: ({ run, token, server }) => this.#world.laws.granted(run, token, server),
      handle: (event) => this.#handle(event),
      submit: (run) => this.#submit(run),
      tagsOf: (device) => this.#member(device)?.tags ?? [],
      tell: (text) => trace.say(timeline.now, this.name, text),
      broken,
    });
    const none = () => {};
    const life: Life = { boot, slots, link, claim, hands, queue: [], busy: false, cancelWake: none, cancelLook: none };
    return life;
  }

  #die(goodbye: { online: false; boot: string; version: null } | null = null, yielded = false): void {
    const life = this.#life;
    if (life === null) return;
    this.#life = null;
    this.#crash_chance = 0;
    life.cancelWake();
    life.cancelLook();
    life.claim.stop();
    life.link.close(goodbye, yielded);
  }

  #send(message: FromController): void {
    this.#life?.link.send(message);
  }

  /** What a controller hears from the broker: controller/controller.ts and controller/runs/inbox.ts. */
  #hear(message: Inbound, retained: boolean): void {
    const life = this.#life;
    if (life === null) return;
    const { broken } = this.#world;
    if (message.kind === 'controller') life.claim.hear(message.payload);
    else if (message.kind === 'slot') {
      const rest_ms = strangerRest(message.payload, []);
      const isOurs = this.disk.runs.get(message.payload.run ?? '') !== undefined;
      if (!retained || rest_ms === null || isOurs || broken === 'strangers-rest') return;
      this.#handle({ type: 'stranger', server: message.server, rest_ms });
    } else if (message.kind === 'status') {
      const { device, payload } = message;
      this.#jumpToConclusions(device, payload.online, payload.boot);
      this.#handle({ type: 'status', device, online: payload.online, boot: payload.boot });
    } else if (message.kind === 'event') {
      const { device, payload } = message;
      const run = this.disk.runs.get(payload.run);
      if (run?.device !== device) {
        const cancel = { type: 'cancel', run: payload.run, reason: 'unknown run' } as const;
        this.#send({ kind: 'command', device, payload: cancel });
        return;
      }
      if (payload.type === 'ready' && run.awaits_result) return;
      this.#handle({ ...payload, device });
    } else if (message.kind === 'result') this.#result(message);
  }

  /** What rules L9 and L10 forbid: a device that is gone, or came back, is taken for one that has finished. */
  #jumpToConclusions(device: string, online: boolean, boot: string): void {
    const { broken } = this.#world;
    for (const lease of this.disk.leasesInOrder()) {
      if (lease.device !== device || !lease.granted) continue;
      const frees = online ? broken === 'new-boot-is-asked' && boot !== lease.boot : broken === 'offline-frees-nothing';
      if (frees) this.#handle({ type: 'finished', device, run: lease.run, token: lease.token });
    }
  }

  #result({ device, payload }: Extract<Inbound, { kind: 'result' }>): void {
    const { run, token } = payload;
    const accept = () => this.#send({ kind: 'command', device, payload: { type: 'accepted', run, token } });
    const early = this.#world.broken === 'accepted-when-stored';
    this.#handle({ type: 'finished', device, run, token });
    if (early) accept();
    this.#life?.hands.later(() => {
      this.#mayCrash();
      // F4: a result that nobody knows is accepted too, or it would be sent for ever. Here it may be another controller's.
      if (this.disk.runs.get(run) === undefined) this.#world.laws.forgotten(run);
      const { settled, busy } = this.#settlement.result(device, payload, this.wall());
      this.#tell(() => `the result of ${run}/${token}: ${settled}`);
      this.#mayCrash();
      if (!early) accept();
      const server = this.disk.grants.get(token)?.server;
      if (busy !== null && server !== undefined) this.#handle({ type: 'served', server, busy_elsewhere: busy });
      this.#life?.hands.followUp(run, settled);
    });
  }

  #probe(server: string): void {
    const { laws, servers, random } = this.#world;
    laws.clients.probe(server);
    const verdict = servers.get(server)?.probe() ?? 'silent';
    this.#tell(() => `probes ${server}: ${verdict}`);
    this.#after(verdict === 'silent' ? 3000 : random.between(1, 20), () => {
      laws.leasesOf(this.name).probed(server, verdict);
      this.#survive(() => this.#handle({ type: 'probed', server, verdict }));
    });
  }

  #submit(id: string): void {
    const run = this.disk.runs.get(id);
    if (run?.state === 'open') this.#handle({ type: 'submit', request: this.#request(run) });
  }

  #request(run: RunRow): RunRequest {
    const about = this.#member(run.device) ?? { uplink_group: null, tags: [] };
    const clock = { now: () => this.#now(), wall: () => this.wall() };
    return runRequest(run, about, this.#world.fleet.settings, clock);
  }

  #member(device: string) {
    return this.#world.fleet.members.find((member) => member.device === device);
  }

  /** One event at a time, as the dispatcher does. */
  #handle(event: SlotEvent): void {
    const life = this.#life;
    if (life === null) return;
    life.queue.push(event);
    if (life.busy) return;
    life.busy = true;
    try {
      for (let next = life.queue.shift(); next !== undefined; next = life.queue.shift()) {
        life.hands.perform(life.slots.handle(next, this.#now()));
        this.#checkSeats(life.slots);
      }
    } finally {
      life.busy = false;
    }
    this.#rearm(event.type === 'tick');
  }

  #rearm(wasTick = false): void {
    const life = this.#life;
    if (life === null) return;
    life.cancelWake();
    const now = this.#now();
    const wake = life.slots.wake(now);
    if (wake === Number.POSITIVE_INFINITY) return;
    if (wasTick && wake <= now) this.#world.laws.broken('a tick is not for nothing', `at ${now}, for ${wake}`);
    // A timer may be late, never early.
    life.cancelWake = this.#after(Math.ceil(wake - now) + 0.01, () =>
      this.#survive(() => this.#handle({ type: 'tick' })),
    );
  }

  #checkSeats(slots: Slots): void {
    const seen = new Set<string>();
    for (const { on_deck } of slots.view()) {
      if (on_deck === null) continue;
      if (seen.has(on_deck.device)) this.#world.laws.broken('one seat a device', on_deck.device);
      seen.add(on_deck.device);
    }
  }

  /** What rule L11 forbids. */
  #probeAll(life: Life): void {
    for (const { server } of life.slots.view()) this.#probe(server);
  }

  /** Looks at the wall clock: for nights, for what is overdue, and for suppressions and maintenance that begin or end. */
  #look(): void {
    const life = this.#life;
    if (life === null) return;
    life.cancelLook();
    const now_ms = this.wall();
    for (const { run, awaits_result, granted_at_ms } of this.openRuns())
      if (awaits_result && granted_at_ms !== null && granted_at_ms <= now_ms - OVERDUE_MS)
        this.#settlement.end(run, 'lost', 'no-result', now_ms);
    const next = this.#plans_nights ? this.#plan(now_ms) : null;
    this.#looked_at = now_ms;
    this.#next_night = next;
    this.#tellBans();
    if (this.#world.broken === 'leased-is-not-probed') this.#probeAll(life);
    const wait = next === null ? LOOK_MS : Math.min(next - now_ms, LOOK_MS);
    life.cancelLook = this.#after(wait, () => this.#survive(() => this.#look()));
  }

  /** A look between two nights finds nothing (test/controller/schedule), and is slow: few of them are taken. */
  #plan(now_ms: number): number | null {
    const { fleet, laws, broken, random } = this.#world;
    const next = this.#next_night;
    if (next !== null && now_ms < next && now_ms >= this.#looked_at && !random.chance(0.1)) return next;
    return lookForNights(
      {
        fleet,
        broken,
        disk: this.disk,
        settlement: this.#settlement,
        laws: laws.recordsOf(this.name),
        newRunId: () => this.#newRunId(),
        mayCrash: () => this.#mayCrash(),
        later: (work) => this.#after(0, () => this.#survive(work)),
        submit: (run) => this.#submit(run),
      },
      now_ms,
    );
  }

  #tellBans(): void {
    for (const event of this.#bans()) this.#handle(event);
  }

  /** Suppressions and maintenance as they are now. */
  #bans(): SlotEvent[] {
    const { timeline, laws } = this.#world;
    const active = this.disk.suppressions
      .filter(({ until_wall }) => until_wall > this.wall())
      .map(({ scope }) => scope);
    laws.leasesOf(this.name).suppressed(active);
    const windows = this.#maintenance.map(({ server, from, to }): SlotEvent => {
      const under_way = timeline.now >= from && timeline.now < to;
      const next_at = timeline.now < from ? this.#now() + this.#rate * (from - timeline.now) : Number.POSITIVE_INFINITY;
      return { type: 'maintenance', server, under_way, next_at };
    });
    return [{ type: 'suppressions', active }, ...windows];
  }

  #newRunId(): string {
    this.#runs += 1;
    return `${this.name}-r${this.#runs}`;
  }

  #mayCrash(): void {
    if (this.#crash_chance > 0 && this.#world.random.chance(this.#crash_chance)) throw new Crash();
  }

  #survive(step: () => void): void {
    if (this.#life === null) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.crash();
    }
  }

  #now(): number {
    return this.#mono_offset_ms + this.#rate * this.#world.timeline.now;
  }

  /** By its clock, and only while this process lives. */
  #after(ms: number, action: () => void): () => void {
    const boots = this.#boots;
    return this.#world.timeline.after(ms / this.#rate, () => {
      if (boots === this.#boots && this.#life !== null) action();
    });
  }

  #tell(text: () => string): void {
    this.#world.trace.say(this.#world.timeline.now, this.name, text);
  }
}

/** What a controller needs before it may grant anything after a start. */
export const START_UP_MS = CLAIM_WAIT_MS + 500;
