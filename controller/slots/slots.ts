import { onDeclined, onFinished, onReady, onStarted, onStatus } from './answers.ts';
import type { RunRequest, SlotEffect, SlotEvent } from './events.ts';
import { ask, grantReady, leaseWake, shownLease, tendLease } from './lease.ts';
import { clearDeck, deckWake, fillSeats, tendDeck, unseat } from './on-deck.ts';
import { forgetPresence } from './presence.ts';
import { noteProbe, quarantineWake, restForStranger, restsForStranger, tendQuarantine } from './quarantine.ts';
import { dequeue, enqueue, expireWaiting, findWaiting, queueWake } from './queue.ts';
import { type FoundLease, forgetGone, recoverLeases } from './recovery.ts';
import { emptyServer, type SlotState, type Step } from './state.ts';

/*
 * The slots: who may use which server, and who is next. Pure: an event and the time go in, effects come out.
 *
 * A run:     waiting → on deck → (starting → running) → released, and its result is awaited elsewhere
 *            waiting, on deck → ended: skipped, missed, cancelled, refused by its agent
 *            on deck → waiting again: its device went offline, restarted, did not answer, or declined for a passing reason
 *            starting → waiting again: the agent declined the start and never began
 *            starting, running → ended: interrupted (a later boot knows nothing of it), overdue (the deadline passed), cancelled
 *
 * A server:  idle → leased → idle                        after `finished`, a result or `declined` with the current token
 *            leased → resting → idle                     after an end that was not clean; a probe may shorten the rest
 *            and beside each of these one seat on deck: empty → asked → ready
 *
 * The invariant: between the first `start` of a token and the moment at which it can't be running any more (its agent said so, or
 * the deadline passed and the server has rested), no `start` of another token is sent for the same server.
 *
 * Order on disk: a lease is saved while it is on deck, so before its `start`. The row of the run before it goes after that `start`.
 * Two rows of one server after a crash are therefore settled in the order of their tokens: each is asked, or waited for in full
 * (recovery.ts). While it waits for its turn the later one may be running: its server is not probed, and it counts in its groups.
 */

/** A server as the slots need to know it; `max_bitrate` in bit/s. */
export interface SlotServer {
  server: string;
  host_group: string | null;
  max_bitrate: number | null;
}

export interface SlotOptions {
  servers: readonly SlotServer[];
  host_groups: ReadonlyMap<string, { capacity: number }>;
  uplink_groups: ReadonlyMap<string, { capacity: number }>;
  last_token: number;
  /** In [0, 1). */
  random: () => number;
}

/**
 * What a server does. `busy-elsewhere`: it was testing somebody outside of perfleet when it was last asked. `suppressed` and
 * `maintenance`: nobody gets it now, and nobody has it.
 */
export type ServerState = 'idle' | 'leased' | 'resting' | 'busy-elsewhere' | 'suppressed' | 'maintenance';

/** What the slots look like from outside: a line per server. */
export interface SlotView {
  server: string;
  state: ServerState;
  device: string | null;
  run: string | null;
  on_deck: { device: string; run: string; ready: boolean } | null;
}

export class Slots {
  readonly #state: SlotState;

  constructor(options: SlotOptions) {
    this.#state = {
      servers: new Map(options.servers.map((server) => [server.server, emptyServer(server, false)])),
      host_groups: options.host_groups,
      uplink_groups: options.uplink_groups,
      demanded: new Map(),
      scheduled: new Map(),
      presence: new Map(),
      engaged: new Map(),
      look_at: Number.POSITIVE_INFINITY,
      last_token: options.last_token,
      in_charge: false,
      in_charge_since: 0,
    };
  }

  /** Takes up the leases found on disk after a restart, before any event: recovery.ts. */
  recover(found: readonly FoundLease[], now: number): SlotEffect[] {
    const step: Step = { state: this.#state, now, out: [] };
    recoverLeases(step, found);
    return step.out.filter((effect) => effect.type !== 'granted');
  }

  /** Takes one event at monotonic time `now` and returns what is to be done, in this order. */
  handle(event: SlotEvent, now: number): SlotEffect[] {
    const step: Step = { state: this.#state, now, out: [] };
    this.#apply(step, event);
    expireWaiting(step);
    for (const server of this.#state.servers.values()) {
      tendQuarantine(step, server);
      if (server.lease !== null) tendLease(step, server, server.lease);
      if (server.on_deck !== null) tendDeck(step, server, server.on_deck);
    }
    grantReady(step);
    fillSeats(step);
    forgetGone(this.#state);
    return mostUrgentFirst(step.out);
  }

  /** The monotonic time at which the slots want a `tick`; Infinity when nothing is pending. */
  wake(now: number): number {
    let wake = queueWake(this.#state);
    for (const server of this.#state.servers.values()) {
      if (server.lease !== null) wake = Math.min(wake, leaseWake(server.lease));
      if (server.on_deck !== null) wake = Math.min(wake, deckWake(server.on_deck));
      wake = Math.min(wake, quarantineWake(server, now));
    }
    return wake;
  }

  /**
   * Who holds which slot, to be told to everybody. What the broker remembers of a stranger stays until its rest is over: a restart in
   * between must find it again.
   */
  slotEffects(now: number): Extract<SlotEffect, { type: 'slot' }>[] {
    const ours = [...this.#state.servers.values()].filter((server) => !restsForStranger(server));
    return ours.map(({ server, lease }) => ({
      type: 'slot',
      server,
      lease: lease === null ? null : shownLease(lease, now),
    }));
  }

  /** New settings, taken into force with the next event. A server that left them takes no new run and is kept until its leases are settled. */
  configure({ servers, host_groups, uplink_groups }: Omit<SlotOptions, 'last_token' | 'random'>): void {
    const state = this.#state;
    state.host_groups = host_groups;
    state.uplink_groups = uplink_groups;
    const wanted = new Map(servers.map((server) => [server.server, server]));
    for (const server of state.servers.values()) server.gone = !wanted.has(server.server);
    for (const { server, host_group } of wanted.values()) {
      const known = state.servers.get(server);
      if (known === undefined) state.servers.set(server, emptyServer({ server, host_group }, false));
      else known.host_group = host_group;
    }
  }

  view(): SlotView[] {
    return [...this.#state.servers.values()].map(({ server, lease, quarantine, on_deck }) => ({
      server,
      state: lease !== null ? 'leased' : quarantine !== null ? 'resting' : 'idle',
      device: lease?.row.device ?? null,
      run: lease?.row.run ?? null,
      on_deck:
        on_deck === null
          ? null
          : { device: on_deck.request.device, run: on_deck.request.run, ready: on_deck.ready !== null },
    }));
  }

  /** How many runs wait that may use this server, on deck not counted. */
  queued(server: string): number {
    const lines = [...this.#state.demanded.values(), ...this.#state.scheduled.values()];
    return lines.filter((waiting) => waiting.servers.includes(server)).length;
  }

  isOnline(device: string): boolean {
    return this.#state.presence.get(device)?.online === true;
  }

  #apply(step: Step, event: SlotEvent): void {
    switch (event.type) {
      case 'submit':
        this.#submit(step, event.request);
        break;
      case 'cancel':
        this.#cancel(step, event.run, event.reason);
        break;
      case 'in-charge':
        this.#inCharge(step, event.yes);
        break;
      case 'status':
        onStatus(step, event);
        break;
      case 'ready':
        onReady(step, event);
        break;
      case 'declined':
        onDeclined(step, event);
        break;
      case 'started':
        onStarted(step, event);
        break;
      case 'finished':
        onFinished(step, event);
        break;
      case 'probed': {
        const server = this.#state.servers.get(event.server);
        if (server !== undefined) noteProbe(step, server, event.verdict);
        break;
      }
      case 'stranger': {
        const server = this.#state.servers.get(event.server);
        if (server !== undefined) restForStranger(step, server, event.rest_ms);
        break;
      }
      case 'skip':
      case 'suppressions':
      case 'maintenance':
      case 'served':
      case 'tick':
        break;
    }
  }

  #submit(step: Step, request: RunRequest): void {
    if (this.#isHere(request.run)) return;
    if (!request.servers.some((server) => this.#state.servers.has(server))) {
      step.out.push({ type: 'ended', run: request.run, ending: { how: 'skipped', reason: 'no-server' } });
      return;
    }
    enqueue(step, { ...request, since: step.now, setbacks: 0 });
  }

  #cancel(step: Step, run: string, reason: string): void {
    const ending = { type: 'ended', run, ending: { how: 'cancelled', reason } } as const;
    const waiting = findWaiting(this.#state, run);
    if (waiting !== undefined) {
      dequeue(this.#state, waiting);
      step.out.push(ending);
      return;
    }
    for (const server of this.#state.servers.values()) {
      const { lease, on_deck: deck } = server;
      if (lease?.row.run === run && lease.over === null) {
        lease.over = { cancel: reason };
        step.out.push({ type: 'cancel', device: lease.row.device, run, reason }, ending);
        ask(step, lease);
      } else if (deck?.request.run === run && deck.over === null) {
        if (deck.recovered) deck.over = { cancel: reason };
        else clearDeck(step, server, deck);
        step.out.push({ type: 'cancel', device: deck.request.device, run, reason }, ending);
      }
    }
  }

  /** Out of charge nothing is granted, and nothing is known of any device until it is heard again. */
  #inCharge(step: Step, yes: boolean): void {
    if (yes !== this.#state.in_charge) this.#state.in_charge_since = step.now;
    this.#state.look_at = step.now;
    this.#state.in_charge = yes;
    if (yes) return;
    forgetPresence(this.#state, step.now);
    for (const server of this.#state.servers.values()) {
      const deck = server.on_deck;
      if (deck !== null && !deck.recovered) unseat(step, server, deck);
    }
  }

  #isHere(run: string): boolean {
    if (findWaiting(this.#state, run) !== undefined) return true;
    const servers = [...this.#state.servers.values()];
    return servers.some(
      ({ lease, on_deck }) =>
        (lease?.row.run === run && lease.over === null) || (on_deck?.request.run === run && on_deck.over === null),
    );
  }
}

/** What is needed before a `start` may go out, then what a server waits for, then the rest. */
const URGENCY: Partial<Record<SlotEffect['type'], number>> = { 'save-lease': 0, cancel: 1, start: 1 };

const mostUrgentFirst = (effects: SlotEffect[]): SlotEffect[] =>
  effects.toSorted((a, b) => (URGENCY[a.type] ?? 2) - (URGENCY[b.type] ?? 2));
