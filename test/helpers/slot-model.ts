import { type SuppressionScope, suppressesDevice, suppressesServer } from '../../controller/schedule/suppression.ts';
import type { RunRequest, SlotEffect, SlotEvent } from '../../controller/slots/events.ts';
import { expectedMs, leaseMs, slotLengthMs } from '../../controller/slots/plan-length.ts';
import { AFTER_PROBE_MS, PROBE_HOLD_MS } from '../../controller/slots/probing.ts';
import type { SlotServer, Slots, SlotView } from '../../controller/slots/slots.ts';

/** A run as the model sees it: where it is, by the effects alone. */
interface Known {
  request: RunRequest;
  at: 'waiting' | 'deck' | 'slot' | 'stopping' | 'over';
  server: string | null;
  granted_at: number;
  ready_at: number;
  /** Not before this time the model expects it to be seated: the slots may make it wait for a setback. */
  not_before: number;
}

/** The longest that a run waits after a setback, and because of cross-traffic. */
const SETBACK_MS = 10_000;
const CROSS_TRAFFIC_MS = 900_000;
const LONGEST_WAIT_MS = 60_000;

export interface World {
  servers: SlotServer[];
  host_groups: ReadonlyMap<string, { capacity: number }>;
  uplink_groups: ReadonlyMap<string, { capacity: number }>;
}

/**
 * Who may use which seat, slow and obvious: everything is looked at after every step. It hears the same events as the slots and sees
 * their effects, and throws when a seat is open for somebody who may take it, or taken by somebody who may not.
 */
export class SlotModel {
  readonly #world: World;
  readonly runs = new Map<string, Known>();
  readonly #online = new Set<string>();
  #suppressed: readonly SuppressionScope[] = [];
  readonly #maintenance = new Map<string, { under_way: boolean; next_at: number }>();
  #configured: readonly string[];
  #setback_ms = 0;
  /** Put aside because they did not answer, in this step. */
  readonly #silent = new Set<string>();
  readonly #doubtful = new Map<string, number>();
  /** Until when nobody may start on a server that is, or was just, probed. */
  readonly #probed = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    this.#configured = world.servers.map(({ server }) => server);
  }

  configured(servers: readonly string[]): void {
    this.#configured = servers;
  }

  hear(event: SlotEvent, now: number): void {
    this.#setback_ms = event.type === 'declined' || event.type === 'tick' ? SETBACK_MS : 0;
    if (event.type === 'declined' && event.reason === 'cross-traffic') this.#setback_ms = CROSS_TRAFFIC_MS;
    // Beside a lease the rest and the wait are not to be seen, and longer than what any event can begin they are not.
    if (event.type === 'stranger' || event.type === 'served') this.#doubtful.set(event.server, now + LONGEST_WAIT_MS);
    if (event.type === 'probed' && this.#isProbed(event.server, now)) {
      const until = event.verdict === 'free' ? now + AFTER_PROBE_MS : now;
      this.#probed.set(event.server, Math.min(until, this.#probed.get(event.server) ?? now));
    }
    // A server that rests for a stranger shows that one's slot, before and after.
    if (event.type === 'finished' && this.runs.get(event.run)?.at === 'stopping') this.#known(event.run).at = 'over';
    if (event.type === 'status' || event.type === 'reached') {
      if (event.type === 'reached' || event.online) this.#online.add(event.device);
      else this.#online.delete(event.device);
    } else if (event.type === 'suppressions') this.#suppressed = event.active;
    else if (event.type === 'maintenance') this.#maintenance.set(event.server, event);
    else if (event.type === 'ready') this.#known(event.run).ready_at = now;
    else if (event.type === 'submit' && !this.runs.has(event.request.run)) {
      const { request } = event;
      this.runs.set(request.run, {
        request,
        at: 'waiting',
        server: null,
        granted_at: 0,
        ready_at: Number.NEGATIVE_INFINITY,
        not_before: request.not_before,
      });
    }
  }

  see(effects: readonly SlotEffect[], now: number): void {
    const asked = effects.flatMap((effect) => (effect.type === 'prepare' ? [effect.device] : []));
    if (asked.length > new Set(asked).size) throw new Error(`one step asks a device twice: ${asked}`);
    for (const effect of effects) {
      if (effect.type === 'cancel' && effect.reason === 'no answer to prepare') this.#silent.add(effect.run);
      else if (effect.type === 'ended') this.#end(effect.run, effect.ending.how === 'cancelled');
      else if (effect.type === 'released') this.#end(effect.run, false);
      else if (effect.type === 'slot')
        this.#settle(effect.server, effect.state === 'leased' ? (effect.lease?.run ?? null) : null);
      else if (effect.type === 'probe') this.#probe(effect.server, now);
      else if (effect.type === 'phase') this.#move(effect, now);
    }
  }

  #move(effect: Extract<SlotEffect, { type: 'phase' }>, now: number): void {
    const run = this.#known(effect.run);
    if (effect.phase === 'waiting') {
      const setback_ms = this.#silent.delete(effect.run) ? SETBACK_MS : this.#setback_ms;
      if (run.at !== 'waiting') run.not_before = now + setback_ms;
      run.at = 'waiting';
      run.server = null;
      return;
    }
    run.server = effect.server;
    if (effect.phase === 'on-deck') this.#checkSeat(run, effect.server, now);
    if (effect.phase !== 'starting') return;
    run.granted_at = now;
    this.#checkGrant(run, effect.server, now);
  }

  #isProbed(server: string, now: number): boolean {
    return (this.#probed.get(server) ?? 0) > now;
  }

  /** Not where somebody is, nor where a probe is. */
  #probe(server: string, now: number): void {
    if (this.#isProbed(server, now)) throw new Error(`${server} is probed twice`);
    const client = this.#at('slot', 'stopping').find((run) => run.server === server);
    if (client) throw new Error(`${server} is probed, and ${client.request.run} is there`);
    this.#probed.set(server, now + PROBE_HOLD_MS);
  }

  /** The server is not held by who was cancelled any more. */
  #settle(server: string, holder: string | null): void {
    for (const run of this.#at('stopping')) if (run.server === server && run.request.run !== holder) run.at = 'over';
  }

  /** What must hold after every step. */
  check(slots: Slots, now: number): void {
    for (const view of slots.view()) {
      const { server } = view;
      if (!this.#configured.includes(server)) continue;
      const waiting = this.#at('waiting').filter(({ request }) => request.servers.includes(server));
      if (slots.queued(server) !== waiting.length)
        throw new Error(`${slots.queued(server)} wait for ${server}, not ${waiting.map(({ request }) => request.run)}`);
      this.#checkStarted(view, now);
      const isLeased = view.state === 'leased' && (this.#doubtful.get(server) ?? 0) <= now;
      const isOpen = view.on_deck === null && (view.state === 'idle' || isLeased);
      if (!isOpen || !this.#isUsable(server)) continue;
      const next = waiting.find((run) => this.#isReady(run, now) && this.#may(run, server, now, view.state));
      if (next) throw new Error(`${next.request.run} waits, and the seat of ${server} is open`);
      if (view.state === 'idle') this.#checkNobodyElse(slots, server, now);
    }
  }

  /** Who is on deck of an idle server, and said less than 4 s ago that it is ready, has been started. */
  #checkStarted({ server, state, on_deck }: SlotView, now: number): void {
    if (state !== 'idle' || on_deck === null || !on_deck.ready || this.#hostGroupIsFull(server)) return;
    if (this.#isProbed(server, now)) return;
    if (now - this.#known(on_deck.run).ready_at <= 4000) throw new Error(`${on_deck.run} is ready, and ${server} idle`);
  }

  #end(name: string, mayHoldSlot: boolean): void {
    const run = this.#known(name);
    if (run.at === 'over' || run.at === 'stopping') throw new Error(`${name} ends twice`);
    run.at = mayHoldSlot && run.at === 'slot' ? 'stopping' : 'over';
  }

  #known(name: string): Known {
    const run = this.runs.get(name);
    if (run === undefined) throw new Error(`${name} is not known`);
    return run;
  }

  #at(...places: Known['at'][]): Known[] {
    return [...this.runs.values()].filter(({ at }) => places.includes(at));
  }

  #isUsable(server: string): boolean {
    return (
      this.#configured.includes(server) &&
      !suppressesServer(this.#suppressed, server) &&
      this.#maintenance.get(server)?.under_way !== true
    );
  }

  #isReady({ request, not_before }: Known, now: number): boolean {
    const { device } = request;
    const engaged = this.#at('deck', 'slot', 'stopping').some((other) => other.request.device === device);
    return now >= not_before && this.#online.has(device) && !engaged && !suppressesDevice(this.#suppressed, request);
  }

  /** Whether the server's maintenance and the uplink group leave room. A leased server is asked when it is free by the slots: not here. */
  #may({ request }: Known, server: string, now: number, state: string): boolean {
    const next_at = this.#maintenance.get(server)?.next_at ?? Number.POSITIVE_INFINITY;
    if (next_at < Number.POSITIVE_INFINITY && state === 'leased') return false;
    if (this.#hostGroupIsFull(server) && next_at < Number.POSITIVE_INFINITY) return false;
    if (now + slotLengthMs(leaseMs(request.tests)) >= next_at) return false;
    return this.#uplinkFits(request, server);
  }

  #uplinkFits({ uplink_group }: RunRequest, server: string): boolean {
    if (uplink_group === null) return true;
    const taken = this.#at('deck', 'slot', 'stopping').filter(
      (other) => other.request.uplink_group === uplink_group && !(other.at !== 'deck' && other.server === server),
    );
    return taken.length < (this.#world.uplink_groups.get(uplink_group)?.capacity ?? 1);
  }

  #hostGroupIsFull(server: string): boolean {
    const groupOf = (name: string | null) => this.#world.servers.find((one) => one.server === name)?.host_group;
    const group = groupOf(server);
    if (group === null || group === undefined) return false;
    const running = this.#at('slot', 'stopping').filter((run) => groupOf(run.server) === group);
    return running.length >= (this.#world.host_groups.get(group)?.capacity ?? 1);
  }

  #checkSeat(run: Known, server: string, now: number): void {
    const { request } = run;
    const broken = (why: string) => new Error(`${request.run} has the seat of ${server} at ${now}: ${why}`);
    if (!request.servers.includes(server)) throw broken('it may not use it');
    if (!this.#isUsable(server)) throw broken('nobody may use it now');
    if (!this.#online.has(request.device)) throw broken('its device is offline');
    if (now < request.not_before) throw broken('its time has not come');
    if (suppressesDevice(this.#suppressed, request)) throw broken('it is suppressed');
    const others = this.#at('deck', 'slot', 'stopping').filter((other) => other !== run);
    if (others.some((other) => other.request.device === request.device)) throw broken('its device has another run');
    if (others.some((other) => other.at === 'deck' && other.server === server)) throw broken('somebody has it');
    run.at = 'waiting';
    if (!this.#uplinkFits(request, server)) throw broken('its uplink group has no room');
    run.at = 'deck';
  }

  #checkGrant(run: Known, server: string, now: number): void {
    if (this.#isProbed(server, now)) throw new Error(`${run.request.run} starts on ${server}, where a probe is`);
    const others = this.#at('slot', 'stopping').filter((other) => other !== run);
    if (others.some((other) => other.server === server)) throw new Error(`two on ${server}`);
    run.at = 'deck';
    if (this.#hostGroupIsFull(server)) throw new Error(`the host group of ${server} has no room`);
    run.at = 'slot';
  }

  /** Nobody is on deck behind a run of which the end is far, who could start on this idle server. */
  #checkNobodyElse(slots: Slots, idle: string, now: number): void {
    if (this.#hostGroupIsFull(idle) || this.#isProbed(idle, now)) return;
    for (const { server, run, on_deck } of slots.view()) {
      if (run === null || on_deck === null) continue;
      const { granted_at, request } = this.#known(run);
      const behind = this.#known(on_deck.run);
      if (!behind.request.servers.includes(idle) || granted_at + expectedMs(request.tests) - now <= 3000) continue;
      behind.at = 'waiting';
      const could = this.#may(behind, idle, now, 'idle');
      behind.at = 'deck';
      if (could) throw new Error(`${on_deck.run} waits on deck of ${server}, and ${idle} is idle`);
    }
  }
}
