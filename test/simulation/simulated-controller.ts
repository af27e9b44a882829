import { CLAIM_WAIT_MS } from '../../broker/contract/numbers.ts';
import type { LeaseRow, RunRequest, SlotEffect, SlotEvent } from '../../controller/slots/events.ts';
import { Slots } from '../../controller/slots/slots.ts';
import type { Fleet } from './fleet.ts';
import type { Laws } from './laws.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Command, Report } from './simulated-agent.ts';
import type { Timeline } from './timeline.ts';

export interface ControllerWorld {
  timeline: Timeline;
  random: Random;
  network: Network;
  laws: Laws;
  fleet: Fleet;
  toAgent: (command: Command) => void;
}

/** A request whose times are not yet by the clock of the controller that takes it up. */
export type Order = Omit<RunRequest, 'not_before' | 'window_end'> & { patience_ms: number };

type Status = Extract<Report, { type: 'status' }>;

/** Thrown by a crash in the middle of a step. */
class Crash extends Error {}

/** What outlives a crash of the controller: its store. */
interface Disk {
  rows: Map<number, LeaseRow>;
  last_token: number;
  orders: Map<string, Order & { window_end: number }>;
  /** Runs that hold or held a slot, and whose result is expected: not submitted again after a restart. */
  awaited: Set<string>;
}

/** The controller around the real `Slots`: carries out effects in their order, and may crash between any two. */
export class SimulatedController {
  readonly #world: ControllerWorld;
  readonly #disk: Disk = { rows: new Map(), last_token: 0, orders: new Map(), awaited: new Set() };
  /** The broker's retained statuses. */
  readonly #retained = new Map<string, Status>();
  #slots: Slots | null = null;
  #reachable = false;
  #offset_ms = 0;
  #crash_chance = 0;
  #claimed_at = 0;
  #cancelWake = () => {};
  #crashes = 0;

  constructor(world: ControllerWorld) {
    this.#world = world;
  }

  get isUp(): boolean {
    return this.#slots !== null;
  }

  start(): void {
    const { fleet, laws, random, timeline } = this.#world;
    const { rows, last_token, orders, awaited } = this.#disk;
    this.#offset_ms = random.between(0, 1e9);
    const { host_group_of, host_groups, uplink_groups } = fleet;
    const servers = fleet.servers.map((server) => ({
      server,
      host_group: host_group_of.get(server) ?? null,
      max_bitrate: null,
    }));
    const slots = new Slots({ servers, host_groups, uplink_groups, last_token, random: () => random.next() });
    this.#slots = slots;
    const leased = [...rows.values()];
    laws.controllerStarts(leased);
    const found = leased.map((row) => ({
      row,
      request: this.#request(row.run),
      cancelled: laws.isOver(row.run) ? 'the run was over' : null,
    }));
    this.#survive(() => {
      this.#perform(slots.recover(found, this.#now()));
      for (const run of orders.keys()) {
        if (!laws.isOpen(run) || awaited.has(run) || leased.some((row) => row.run === run)) continue;
        this.#handle({ type: 'submit', request: this.#request(run) });
      }
    });
    if (this.#slots !== slots) return;
    timeline.after(random.between(0, 500), () => {
      if (this.#slots === slots) this.reconnect();
    });
  }

  /** The next step is interrupted between two effects, most likely. */
  crashSoon(): void {
    this.#crash_chance = 0.2;
  }

  /** No more crashes. */
  calm(): void {
    this.#crash_chance = 0;
  }

  crash(): void {
    this.#cancelWake();
    this.#slots = null;
    this.#reachable = false;
    this.#crash_chance = 0;
    this.#crashes += 1;
  }

  disconnect(): void {
    if (!this.#reachable) return;
    this.#reachable = false;
    this.#survive(() => this.#handle({ type: 'in-charge', yes: false }));
  }

  /** Hears the retained statuses, claims the broker, and is in charge after the wait. */
  reconnect(): void {
    if (this.#reachable || this.#slots === null) return;
    const slots = this.#slots;
    this.#reachable = true;
    const claimed_at = this.#world.timeline.now;
    this.#claimed_at = claimed_at;
    for (const status of this.#retained.values()) this.#survive(() => this.#handle(status));
    this.#world.timeline.after(CLAIM_WAIT_MS, () => {
      if (this.#slots !== slots || !this.#reachable || this.#claimed_at !== claimed_at) return;
      this.#survive(() => this.#handle({ type: 'in-charge', yes: true }));
    });
  }

  submit(order: Order): void {
    const { laws, timeline } = this.#world;
    laws.submitted(order.run);
    this.#disk.awaited.delete(order.run);
    this.#disk.orders.set(order.run, { ...order, window_end: timeline.now + order.patience_ms });
    this.#survive(() => this.#handle({ type: 'submit', request: this.#request(order.run) }));
  }

  cancel(run: string): void {
    if (this.#world.laws.isOver(run)) return;
    this.#survive(() => this.#handle({ type: 'cancel', run, reason: 'by a person' }));
  }

  /** A message reaches the broker, and from there the controller. */
  hear(report: Report): void {
    if (report.type === 'status') this.#retained.set(report.device, report);
    if (!this.#reachable) return;
    const { laws } = this.#world;
    this.#survive(() => {
      if (report.type !== 'result') {
        this.#handle(report);
        return;
      }
      const { device, run, token } = report;
      this.#handle({ type: 'finished', device, run, token });
      if (this.#disk.rows.has(token) && this.#believesIn(run))
        laws.broken(`the lease ${token} outlives its own result`);
      if (this.#disk.awaited.has(run) && laws.isOpen(run) && !this.#holds(run)) {
        laws.ended(run, 'by its result');
      }
      this.#send({ type: 'accepted', device, run, token });
    });
  }

  /** Nothing is left: no lease on disk, every server idle. */
  allIdle(): void {
    const { laws } = this.#world;
    if (this.#disk.rows.size > 0) laws.broken(`leases left on disk: ${[...this.#disk.rows.keys()].join(', ')}`);
    for (const { server, state, on_deck } of this.#slots?.view() ?? laws.broken('the controller is down')) {
      if (state !== 'idle' || on_deck !== null) laws.broken(`${server} is never idle again: ${state}`);
    }
    // Granted, released or declined, then a crash before that was noted: `lost` after 24 h, by the clock of the runs.
    for (const run of this.#disk.awaited) if (laws.isOpen(run) && this.#crashes > 0) laws.ended(run, 'lost');
  }

  #believesIn(run: string): boolean {
    return this.#slots?.view().some((server) => server.run === run || server.on_deck?.run === run) === true;
  }

  #holds(run: string): boolean {
    return [...this.#disk.rows.values()].some((row) => row.run === run);
  }

  #request(run: string): RunRequest {
    const order = this.#disk.orders.get(run);
    if (order === undefined) throw new Error(`no order for ${run}`);
    const now = this.#now();
    return { ...order, not_before: now, window_end: order.window_end + this.#offset_ms };
  }

  #handle(event: SlotEvent): void {
    const slots = this.#slots;
    if (slots === null) return;
    this.#perform(slots.handle(event, this.#now()));
    this.#checkView(slots);
    const now = this.#now();
    const wake = slots.wake(now);
    this.#cancelWake();
    if (wake === Number.POSITIVE_INFINITY) return;
    if (event.type === 'tick' && wake <= now) this.#world.laws.broken(`a tick at ${now} asks for another at ${wake}`);
    const tick = () => this.#survive(() => this.#handle({ type: 'tick' }));
    // A timer may be late, never early.
    this.#cancelWake = this.#world.timeline.after(Math.ceil(wake - now), tick);
  }

  #checkView(slots: Slots): void {
    const seen = new Set<string>();
    for (const { on_deck } of slots.view()) {
      if (on_deck === null) continue;
      if (seen.has(on_deck.device)) this.#world.laws.broken(`${on_deck.device} is on two decks`);
      seen.add(on_deck.device);
    }
  }

  #perform(effects: SlotEffect[]): void {
    this.#world.laws.decided(effects, this.#disk.rows);
    for (const effect of effects) {
      if (this.#crash_chance > 0 && this.#world.random.chance(this.#crash_chance)) throw new Crash();
      this.#do(effect);
    }
  }

  #do(effect: SlotEffect): void {
    const { laws, random, timeline } = this.#world;
    const { rows, awaited } = this.#disk;
    switch (effect.type) {
      case 'start':
        laws.started(effect, rows.get(effect.token));
        this.#send(effect);
        break;
      case 'prepare':
      case 'cancel':
        this.#send(effect);
        break;
      case 'save-lease':
        rows.set(effect.lease.token, effect.lease);
        this.#disk.last_token = Math.max(this.#disk.last_token, effect.lease.token);
        break;
      case 'granted':
        rows.set(effect.lease.token, effect.lease);
        awaited.add(effect.lease.run);
        break;
      case 'drop-lease':
        rows.delete(effect.token);
        break;
      case 'phase':
        if (effect.phase === 'waiting') awaited.delete(effect.run);
        break;
      case 'released':
        laws.ended(effect.run, 'released');
        break;
      case 'ended':
        laws.ended(effect.run, effect.ending.how);
        if (effect.ending.how === 'interrupted' && random.chance(0.5)) this.#again(effect.run);
        break;
      case 'probe': {
        const { server } = effect;
        const slots = this.#slots;
        const verdict = laws.probe(server);
        timeline.after(random.between(0, 20), () => {
          if (this.#slots !== slots) return;
          if (verdict === 'free') laws.probeSaidFree(server);
          this.#survive(() => this.#handle({ type: 'probed', server, verdict }));
        });
        break;
      }
      case 'slot':
        break;
    }
  }

  /** A run that was interrupted is tried again under the same name. */
  #again(run: string): void {
    const order = this.#disk.orders.get(run);
    if (order === undefined) return;
    this.#world.laws.submitted(run);
    this.#disk.awaited.delete(run);
    const slots = this.#slots;
    this.#world.timeline.after(0, () => {
      if (this.#slots === slots) this.#survive(() => this.#handle({ type: 'submit', request: this.#request(run) }));
    });
  }

  #send(command: Command): void {
    if (this.#reachable) this.#world.network.carry(() => this.#world.toAgent(command));
  }

  #survive(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.crash();
    }
  }

  #now(): number {
    return this.#world.timeline.now + this.#offset_ms;
  }
}
