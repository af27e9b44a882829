import { nextAlarm, setAlarm, takeDue } from './alarms.ts';
import { applyEvent } from './apply-event.ts';
import { busyWake, tendBusy } from './busy.ts';
import { configure, forgetGone, newState, type SlotSettings } from './configuration.ts';
import { place } from './eligibility.ts';
import type { SlotEffect, SlotEvent } from './events.ts';
import { fillSeats } from './fill.ts';
import { waitingFor } from './lanes.ts';
import { grantReady, leaseWake, tendLease } from './lease.ts';
import { deckWake, tendDeck } from './on-deck.ts';
import { isOnline, type Sight, sightOf } from './presence.ts';
import { probeWake, tendProbe } from './probing.ts';
import { quarantineWake, restsForStranger, tendQuarantine } from './quarantine.ts';
import { type FoundLease, recoverLeases } from './recovery.ts';
import { showChange, slotEffect } from './show.ts';
import type { Server } from './state/server.ts';
import type { SlotState, Step } from './state/slot-state.ts';
import { forgetTouched, touch } from './touched.ts';
import type { ServerState } from './transitions.ts';

export type { SlotServer } from './configuration.ts';
export type { ServerState } from './transitions.ts';

/*
 * The slots: who may use which server, and who is next. Pure: an event and the time go in, effects come out.
 *
 * A run waits until a seat opens that it may take: late binding, so no server is idle while somebody who may use it waits for another
 * one. On deck its device is asked to prepare, and says that it is ready; when the slot is free, the start is all that is left. A run
 * that a suppression names is held, not ended. A device that goes away, restarts, stays silent or declines for now gives its seat to
 * the next one at once, and its run waits again. A run that is cancelled while it may be running is over for everybody but its server:
 * it is stopping until the slot is free.
 *
 * A server is idle or leased, and rests after a lease that did not end cleanly. Beside that it has one seat on deck: empty, or taken by
 * a run that was asked, is ready, or was found on disk. Only an idle server is given to the next run; a lease found on disk is asked
 * whatever else is known, as it may be running.
 *
 * While a probe is out, and for a moment after one that found it free, a server is given to nobody (probing.ts).
 *
 * All steps of both are in transitions.ts. What is not there throws.
 *
 * The invariant: between the first `start` of a token and the moment at which it can't be running any more (its agent said so, or
 * the deadline passed and the server has rested), no `start` of another token is sent for the same server.
 *
 * After each step no seat is open for which somebody has a turn. So a step has to look only at the servers that it touched, and at
 * lanes that had nobody to offer before; its cost does not grow with the runs that wait (lanes.ts), and alarms are in heaps.
 *
 * Order on disk: a lease is saved while it is on deck, so before its `start`. The row of the run before it goes some time after that
 * `start`. Two or more rows of one server after a crash are therefore settled in the order of their tokens: each is asked, or waited for
 * in full (recovery.ts). While it waits for its turn a later one may be running: its server is not probed, and it counts in its groups.
 */

export interface SlotOptions extends SlotSettings {
  last_token: number;
  /** In [0, 1). */
  random: () => number;
}

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
    this.#state = newState(options);
    configure(this.#state, options);
    this.#state.everything = true;
  }

  /** Takes up the leases found on disk after a restart, before any event: recovery.ts. */
  recover(found: readonly FoundLease[], now: number): SlotEffect[] {
    const step: Step = { state: this.#state, now, out: [] };
    recoverLeases(step, found);
    endStep(step);
    return step.out.filter((effect) => effect.type !== 'granted');
  }

  /** Takes one event at monotonic time `now` and returns what is to be done, in this order. */
  handle(event: SlotEvent, now: number): SlotEffect[] {
    const step: Step = { state: this.#state, now, out: [] };
    applyEvent(step, event);
    if (this.#state.everything) touchEverything(step);
    lookAtDue(step);
    for (const server of this.#state.touched) tend(step, server);
    grantReady(step);
    fillSeats(step);
    endStep(step);
    return mostUrgentFirst(step.out);
  }

  /** The monotonic time at which the slots want a `tick`; Infinity when nothing is pending. */
  wake(now: number): number {
    if (this.#state.everything) return now;
    return Math.min(nextAlarm(this.#state.run_alarms), nextAlarm(this.#state.server_alarms));
  }

  /**
   * Who holds which slot, to be told to everybody. What the broker remembers of a stranger stays until its rest is over: a restart in
   * between must find it again.
   */
  slotEffects(now: number): Extract<SlotEffect, { type: 'slot' }>[] {
    const ours = [...this.#state.servers.values()].filter((server) => !restsForStranger(server));
    return ours.map((server) => slotEffect(server, now));
  }

  /** New settings, taken into force with the next event. A server that left them takes no new run and is kept until its leases are settled. */
  configure(settings: SlotSettings): void {
    configure(this.#state, settings);
    this.#state.everything = true;
  }

  view(): SlotView[] {
    return [...this.#state.servers.values()].map(({ server, state, lease, on_deck }) => ({
      server,
      state,
      device: lease?.row.device ?? null,
      run: lease?.row.run ?? null,
      on_deck:
        on_deck === null
          ? null
          : { device: on_deck.run.request.device, run: on_deck.run.request.run, ready: on_deck.ready !== null },
    }));
  }

  /** How many runs wait that may use this server, on deck not counted. */
  queued(server: string): number {
    const known = this.#state.servers.get(server);
    return known === undefined ? 0 : waitingFor(known);
  }

  /** The runs that wait, on deck not counted. */
  waiting(): string[] {
    return [...this.#state.runs.values()].flatMap(({ request, line }) => (line === null ? [] : [request.run]));
  }

  /** Whether the run waits, is on deck or has a slot. */
  knows(run: string): boolean {
    return this.#state.runs.has(run);
  }

  isOnline(device: string): boolean {
    return isOnline(this.#state, device);
  }

  /** How the device is known; null when nothing is known of it. */
  sightOf(device: string): Sight | null {
    return sightOf(this.#state, device);
  }
}

/** After what concerns all: a start, a change of settings, suppressions or charge. Nothing else looks at all runs. */
const touchEverything = (step: Step): void => {
  const { state } = step;
  state.everything = false;
  for (const run of state.runs.values()) if (run.line !== null) place(step, run);
  for (const server of state.servers.values()) touch(state, server);
};

/** Whose time has come. */
const lookAtDue = (step: Step): void => {
  const { state, now } = step;
  for (let run = takeDue(state.run_alarms, now); run !== null; run = takeDue(state.run_alarms, now)) place(step, run);
  for (let server = takeDue(state.server_alarms, now); server !== null; server = takeDue(state.server_alarms, now))
    touch(state, server);
};

/** What a server does by itself as time passes. */
const tend = (step: Step, server: Server): void => {
  tendProbe(step, server);
  tendQuarantine(step, server);
  tendBusy(step, server);
  if (server.lease !== null) tendLease(step, server, server.lease);
  if (server.on_deck !== null) tendDeck(step, server, server.on_deck);
};

const nextLook = (state: SlotState, server: Server, now: number): number => {
  const { lease, on_deck } = server;
  return Math.min(
    lease === null ? Number.POSITIVE_INFINITY : leaseWake(lease),
    on_deck === null ? Number.POSITIVE_INFINITY : deckWake(server, on_deck),
    quarantineWake(state, server, now),
    busyWake(state, server, now),
    probeWake(server),
  );
};

const endStep = (step: Step): void => {
  const { state, now } = step;
  for (const server of state.touched) {
    showChange(step, server);
    setAlarm(state.server_alarms, server, nextLook(state, server, now));
    forgetGone(state, server);
  }
  forgetTouched(state);
};

/**
 * What is needed before a `start` may go out, then what a server waits for, then the rest. Who will hold a slot is told before its `start`: if
 * this controller dies in between, the next one on the broker knows of a client that may run.
 */
const urgencyOf = (effect: SlotEffect): number => {
  if (effect.type === 'save-lease' || (effect.type === 'slot' && effect.lease !== null)) return 0;
  return effect.type === 'cancel' || effect.type === 'start' ? 1 : 2;
};

/** What a step says once at most: of a slot, so that nobody sees it free between two leases, and to a device, as one word may overtake the other. */
const subjectOf = (effect: SlotEffect): string | null => {
  if (effect.type === 'slot') return effect.server;
  return effect.type === 'prepare' ? `device ${effect.device}` : null;
};

/** Only the last word on each subject counts. */
const withoutOvertaken = (effects: SlotEffect[]): SlotEffect[] => {
  const last = new Map<string, SlotEffect>();
  let said = 0;
  for (const effect of effects) {
    const subject = subjectOf(effect);
    if (subject === null) continue;
    last.set(subject, effect);
    said += 1;
  }
  if (said === last.size) return effects;
  return effects.filter((effect) => {
    const subject = subjectOf(effect);
    return subject === null || last.get(subject) === effect;
  });
};

const mostUrgentFirst = (effects: SlotEffect[]): SlotEffect[] => {
  if (effects.length < 2) return effects;
  return withoutOvertaken(effects).sort((a, b) => urgencyOf(a) - urgencyOf(b));
};
