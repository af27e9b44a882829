import type { RunRequest, SlotEffect, SlotEvent } from '../slots/events.ts';
import type { Slots } from '../slots/slots.ts';
import { StoreError } from '../store/errors.ts';
import type { RunRow } from '../store/runs.ts';
import { Afterwards } from './afterwards.ts';
import { Effects, type EffectsOptions } from './effects.ts';
import { overOf } from './over-of.ts';
import { requestOfLease, runRequest } from './run-request.ts';
import type { Settled } from './settlement.ts';

export interface DispatcherOptions extends Omit<EffectsOptions, 'handle' | 'followUp'> {
  slots: Slots;
  /** Called after each step of the slots. */
  onStep: () => void;
  /** The store can't keep a lease: nothing more may be granted, the controller has to stop. */
  onFatal: (error: Error) => void;
}

/**
 * Done one by one and in order: a lease is on disk, and told to everybody, before its `start` is sent. What is told of a slot never waits: said
 * late it would hide the lease that came after it. Nor does a probe: late it would meet a client of ours. The rest of a step is one transaction.
 */
const BEFORE_ALL: ReadonlySet<SlotEffect['type']> = new Set([
  ...(['save-lease', 'cancel', 'start', 'slot', 'probe', 'unprobed'] as const),
]);
const isBeforeAll = ({ type }: SlotEffect): boolean => BEFORE_ALL.has(type);

/**
 * What a restart would do again, or ask the agent about: after it nobody needs to wait for the disk. What ends a run is not among it.
 */
const REDONE: ReadonlySet<SlotEffect['type']> = new Set([
  ...(['prepare', 'granted', 'drop-lease', 'phase', 'released'] as const),
]);

/**
 * What follows from a grant waits this long: the device that was granted the slot begins now, and the next one, asked to get ready, could be
 * on the same host or behind the same link.
 */
export const GRANT_REST_MS = 100;

/** After these a server may be idle, and nobody is ready for it yet. */
const WAITED_FOR: ReadonlySet<SlotEffect['type']> = new Set(['prepare', 'drop-lease']);

/**
 * Between the slots and the world: takes events in, and has done what the slots ask for, in their order.
 * A store that can't be written ends the controller before anything is sent that is not on disk.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  #queue: SlotEvent[] = [];
  #busy = false;
  #stopped = false;
  #cancelWake = () => {};
  readonly #afterwards: Afterwards;
  readonly #effects: Effects;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#afterwards = new Afterwards(options.clock, (error) =>
      options.log.error({ error }, 'something could not be done: this is a defect'),
    );
    this.#effects = new Effects({
      ...options,
      handle: (event) => this.handle(event),
      followUp: (run, settled) => this.followUp(run, settled),
    });
  }

  /** Takes up what the store knows after a restart: leases are asked for again, runs wait again. */
  recover(): void {
    const { store, slots, clock } = this.#options;
    const leases = store.leases.list();
    const found = leases.map((row) => {
      const run = store.runs.get(row.run);
      if (run === null)
        return { row, request: requestOfLease(row, clock.now()), over: { cancel: 'the run is unknown' } };
      return { row, request: this.#request(run), over: overOf(row, run) };
    });
    const leased = new Set(found.flatMap(({ row, over }) => (over === null ? [row.run] : [])));
    this.#perform(slots.recover(found, clock.now()));
    for (const run of store.runs.open()) {
      if (leased.has(run.run)) continue;
      // Its result was in the memory of an earlier controller, and went with that.
      const isCutOff = run.awaits_result && run.granted_via === 'ssh';
      if (isCutOff) store.runs.noteCutOff(run.run);
      if (isCutOff || !run.awaits_result) this.submit(run.run);
    }
    this.#rearm();
  }

  /** Writes down what is left to be written, and takes nothing more. */
  stop(): void {
    this.#afterwards.flush();
    this.keep(() => this.#options.store.flush());
    this.#stopped = true;
    this.#cancelWake();
  }

  /** A run that was added to the store, or is to be tried again, waits for its turn; one that is over does not. */
  submit(id: string): void {
    const run = this.#options.store.runs.get(id);
    if (run?.state === 'open') this.handle({ type: 'submit', request: this.#request(run) });
  }

  /** After a change of settings: the runs that wait do so for what the settings say now, each in its place. */
  submitAnew(): void {
    const { slots, store } = this.#options;
    const requests = slots.waiting().flatMap((id) => {
      const run = store.runs.get(id);
      return run?.state === 'open' ? [this.#request(run)] : [];
    });
    this.handle({ type: 'submit-anew', requests });
  }

  /** Takes one event, and does what the slots want done. Events that come meanwhile wait for their turn. */
  handle(event: SlotEvent): void {
    this.#queue.push(event);
    this.#takeEvents();
  }

  /** Tells everybody who holds which slot now: what the broker remembers may be older. */
  showSlots(): void {
    for (const effect of this.#options.slots.slotEffects(this.#options.clock.now())) this.#effects.do(effect);
  }

  /** Ends a run that is not over, wherever it is, also when only its result is awaited. */
  cancel({ run, device }: RunRow, reason: string): void {
    const { settlement, driver, clock, onPoints } = this.#options;
    this.handle({ type: 'cancel', run, reason });
    if (!settlement.end(run, 'cancelled', reason, clock.wall())) return;
    driver.cancel(device, run, reason);
    onPoints();
    this.followUp(run, 'final');
  }

  /** What comes after a run was settled: whoever watches is told, or it waits for another attempt. */
  followUp(id: string, settled: Settled): void {
    if (settled === 'final') {
      const { board, clock } = this.#options;
      board.tell({ phase: 'final', run: id, at: new Date(clock.wall()).toISOString() });
    }
    if (settled === 'retry') this.submit(id);
  }

  #perform(effects: SlotEffect[]): void {
    const rest = effects.filter((effect) => !isBeforeAll(effect));
    for (const effect of effects) {
      if (isBeforeAll(effect) && !this.#stopped) this.keep(() => this.#effects.do(effect));
    }
    if (rest.length === 0 || this.#stopped) return;
    const { store } = this.#options;
    const doAll = () => {
      for (const effect of rest) this.#effects.do(effect);
    };
    const redone = rest.every((effect) => REDONE.has(effect.type));
    const work = () => this.keep(() => (redone ? store.deferred(doAll) : store.atomically(doAll)));
    if (this.#afterwards.isEmpty && rest.length === effects.length) {
      this.#alone(work);
      return;
    }
    const grants = rest.some(({ type }) => type === 'granted');
    this.#afterwards.add(() => this.#alone(work), grants ? GRANT_REST_MS : 0);
    if (!grants && rest.some(({ type }) => WAITED_FOR.has(type))) this.#afterwards.hurry();
  }

  /** Events that `work` brings about wait until it is done: a `start` must not go out in the middle of a transaction. */
  #alone(work: () => void): void {
    const nested = this.#busy;
    this.#busy = true;
    try {
      work();
    } finally {
      this.#busy = nested;
    }
    if (this.#queue.length > 0) this.#takeEvents();
  }

  /** What is put off is done now, if the slots have nothing to do with the run (any more): its end may be among it. */
  catchUp(run: string): void {
    if (!this.#options.slots.knows(run)) this.#afterwards.flush();
  }

  /** Does `work` when what was just sent is on its way, unless the dispatcher was stopped before. */
  later(work: () => void): void {
    this.#afterwards.add(() => {
      if (!this.#stopped) work();
    });
  }

  /** As `later`, for what is done several at a time: returns what adds one. `some` does at least the first, and says how many it did. */
  severalLater<T>(some: (things: readonly T[]) => number): (thing: T) => void {
    return this.#afterwards.several((things: readonly T[]) => (this.#stopped ? things.length : some(things)));
  }

  /** Runs what reads or writes the store; a store that fails stops everything. */
  keep(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#stopped = true;
      this.#cancelWake();
      this.#options.onFatal(error);
    }
  }

  #takeEvents(): void {
    if (this.#busy || this.#stopped) return;
    this.#alone(() => {
      for (let next = this.#queue.shift(); next !== undefined && !this.#stopped; next = this.#queue.shift()) {
        this.#perform(this.#options.slots.handle(next, this.#options.clock.now()));
      }
    });
    this.#rearm();
    this.#options.onStep();
  }

  #request(run: RunRow): RunRequest {
    const { settings, store, clock } = this.#options;
    return runRequest(run, store.devices.get(run.device) ?? { uplink_group: null, tags: [] }, settings(), clock);
  }

  #rearm(): void {
    this.#cancelWake();
    if (this.#stopped) return;
    const { slots, clock } = this.#options;
    const now = clock.now();
    const wake = slots.wake(now);
    if (wake === Number.POSITIVE_INFINITY) return;
    this.#cancelWake = clock.after(wake - now, () => this.handle({ type: 'tick' }));
  }
}
