import { overOf } from '../../controller/runs/over-of.ts';
import { requestOfLease } from '../../controller/runs/run-request.ts';
import type { SlotEvent } from '../../controller/slots/events.ts';
import { Slots } from '../../controller/slots/slots.ts';
import type { FromController } from './broker.ts';
import { ClaimKeeper } from './claim-keeper.ts';
import { ControllerLink, LINK_DELAY_MS } from './controller-link.ts';
import type { ControllerMachine } from './controller-machine.ts';
import { Hands } from './hands.ts';
import { Inbox } from './inbox.ts';
import { SeatLaw } from './laws/seat-law.ts';
import { WallWatch } from './wall-watch.ts';

/** What is put off waits for the event loop, and for what was put off before it: under load for this long, a piece. */
const PUT_OFF_MS = 200;

/** How likely a process that is about to die does so before the next effect. */
const CRASH_CHANCE = 0.1;

/** Thrown by a crash in the middle of a step. */
class Crash extends Error {}

/**
 * One life of a controller's process around the product's slots and claim: events in, effects out, one event at a time. It may die between
 * any two effects. Its monotonic clock runs a little fast or slow, and begins anywhere.
 */
export class ControllerProcess {
  readonly machine: ControllerMachine;
  readonly boot: string;
  readonly slots: Slots;
  readonly link: ControllerLink;
  readonly claim: ClaimKeeper;
  readonly hands: Hands;
  readonly watch: WallWatch;
  readonly #offset_ms: number;
  readonly #onCrash: () => void;
  readonly #seats: SeatLaw;
  readonly #queue: SlotEvent[] = [];
  #busy = false;
  #alive = true;
  #crashes_soon = false;
  #cancelWake = () => {};

  /** Starts nothing yet. `onCrash` is called when it dies in the middle of a step. */
  constructor(machine: ControllerMachine, onCrash: () => void) {
    const { world, disk } = machine;
    const { timeline, random, broker, broken, fleet, laws } = world;
    this.machine = machine;
    this.boot = machine.newBoot();
    this.#onCrash = onCrash;
    this.#offset_ms = random.between(0, 1e9);
    const { host_groups, uplink_groups, settings } = fleet;
    const servers = [...settings.servers.values()].map((one) => ({ ...one, endpoint: one.server }));
    const { last_token } = disk;
    this.slots = new Slots({ servers, host_groups, uplink_groups, last_token, random: () => random.next() });
    const own = { online: true, boot: this.boot, version: null };
    this.claim = new ClaimKeeper({
      boot: this.boot,
      broken,
      now: () => this.now(),
      after: (ms, action) => this.after(ms, action),
      publish: (in_charge) => this.send({ kind: 'controller', payload: { ...own, in_charge } }),
      onChange: (in_charge) => this.#onCharge(in_charge),
      onYield: () => {
        machine.tell(() => 'gives way to another controller');
        this.stop(true);
      },
    });
    this.#seats = new SeatLaw(
      (token) => disk.leases.get(token),
      (law, detail) => laws.broken(law, detail),
    );
    const inbox = new Inbox(this);
    this.link = new ControllerLink({
      timeline,
      random,
      broker,
      will: { ...own, online: false },
      onMessage: (message, retained) => this.survive(() => inbox.hear(message, retained)),
      onConnect: () => this.claim.connected(),
      onDisconnect: () => this.claim.disconnected(),
    });
    this.hands = new Hands({
      disk,
      broken,
      settlement: machine.settlement,
      laws: laws.leasesOf(machine.name),
      wall: () => machine.wall(),
      send: (message) => this.send(message),
      mayCrash: () => this.mayCrash(),
      later: (work) => this.after(random.between(0, PUT_OFF_MS), () => this.survive(work)),
      objection: (run) => (world.over_budget.has(disk.runs.get(run)?.device ?? '') ? 'over-budget' : null),
      probe: (server) => this.probe(server),
      granted: ({ run, token, server }) => {
        laws.granted(run, token, server);
        laws.shown.startSent({ run, token });
        timeline.after(LINK_DELAY_MS, () => laws.shown.lookAtSlot(server));
      },
      rowsChanged: () => laws.shown.lookAtDisk(machine.name),
      handle: (event) => this.handle(event),
      submit: (run) => this.submit(run),
      tagsOf: (device) => machine.member(device)?.tags ?? [],
      tell: (text) => machine.tell(text),
    });
    this.watch = new WallWatch(this);
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** Takes up what is on disk, then connects. */
  start(): void {
    const { machine, slots, hands } = this;
    const { disk, world } = machine;
    machine.tell(() => `starts as ${this.boot}`);
    const leases = disk.leasesInOrder();
    this.#seats.starts(leases);
    world.laws.leasesOf(machine.name).controllerStarts(leases);
    const found = leases.map((row) => {
      const run = disk.runs.get(row.run);
      if (run === undefined)
        return { row, request: requestOfLease(row, this.now()), over: { cancel: 'the run is unknown' } };
      return { row, request: machine.request(run, () => this.now()), over: overOf(row, run) };
    });
    const leased = new Set(found.flatMap(({ row, over }) => (over === null ? [row.run] : [])));
    this.survive(() => {
      for (const event of this.watch.bans()) hands.perform(slots.handle(event, this.now()));
      hands.perform(slots.recover(found, this.now()));
      for (const run of [...disk.runs.rows.values()])
        if (run.state !== 'final' && !leased.has(run.run) && !run.awaits_result) this.submit(run.run);
      this.#rearm(false);
      this.watch.look();
    });
    this.after(world.random.between(0, 300), () => this.link.connect());
  }

  /** Writes down what is left, and says goodbye, or nothing when it gave way to another. */
  stop(quietly: boolean): void {
    this.survive(() => this.hands.flush());
    this.machine.disk.journal.sync();
    const goodbye = quietly ? null : { online: false, boot: this.boot, version: null };
    this.die(goodbye, quietly);
  }

  die(goodbye: { online: boolean; boot: string; version: null } | null = null, quietly = false): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#cancelWake();
    this.watch.stop();
    this.claim.stop();
    this.link.close(goodbye, quietly);
  }

  crashSoon(): void {
    this.#crashes_soon = true;
  }

  calm(): void {
    this.#crashes_soon = false;
  }

  send(message: FromController): void {
    if (this.#alive) this.link.send(message);
  }

  submit(id: string): void {
    const run = this.machine.disk.runs.get(id);
    if (run?.state === 'open') this.handle({ type: 'submit', request: this.machine.request(run, () => this.now()) });
  }

  /** One event at a time, as the dispatcher does: those that come meanwhile wait. */
  handle(event: SlotEvent): void {
    this.#queue.push(event);
    if (this.#busy || !this.#alive) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined && this.#alive; next = this.#queue.shift()) {
        this.hands.perform(this.slots.handle(next, this.now()));
        this.#seats.look(this.slots.view());
      }
    } finally {
      this.#busy = false;
    }
    this.#rearm(event.type === 'tick');
  }

  probe(server: string): void {
    const { laws, servers, random } = this.machine.world;
    laws.clients.probe(server, this.link.isAlive ? null : this.machine.name);
    const verdict = servers.get(server)?.probe() ?? 'silent';
    this.machine.tell(() => `probes ${server}: ${verdict}`);
    this.after(verdict === 'silent' ? 3000 : random.between(1, 20), () => {
      laws.leasesOf(this.machine.name).probed(server, verdict);
      this.survive(() => this.handle({ type: 'probed', server, verdict }));
    });
  }

  mayCrash(): void {
    if (this.#crashes_soon && this.machine.world.random.chance(CRASH_CHANCE)) throw new Crash();
  }

  /** Does a step of a living process, which may be its last. */
  survive(step: () => void): void {
    if (!this.#alive) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#onCrash();
    }
  }

  /** Its monotonic clock, in milliseconds. */
  now(): number {
    return this.#offset_ms + this.machine.rate * this.machine.world.timeline.now;
  }

  /** By its clock, and only while this process lives. */
  after(ms: number, action: () => void): () => void {
    return this.machine.world.timeline.after(ms / this.machine.rate, () => {
      if (this.#alive) action();
    });
  }

  #onCharge(in_charge: boolean): void {
    const { machine, claim, link } = this;
    machine.tell(() => (in_charge ? 'is in charge' : 'is not in charge'));
    const lasts = () => this.#alive && link.isAlive && claim.isInCharge;
    if (in_charge) machine.world.laws.shown.inCharge(machine.name, lasts);
    this.survive(() => {
      if (in_charge) for (const effect of this.slots.slotEffects(this.now())) this.hands.showSlot(effect);
      this.handle({ type: 'in-charge', yes: in_charge });
    });
  }

  #rearm(wasTick: boolean): void {
    this.#cancelWake();
    if (!this.#alive) return;
    const now = this.now();
    const wake = this.slots.wake(now);
    if (wake === Number.POSITIVE_INFINITY) return;
    const { laws } = this.machine.world;
    if (wasTick && wake <= now) laws.broken('a tick is not for nothing', `at ${now}, for ${wake}`);
    const tick = () => this.survive(() => this.handle({ type: 'tick' }));
    // A timer may be late, never early.
    this.#cancelWake = this.after(Math.ceil(wake - now) + 0.01, tick);
  }
}
