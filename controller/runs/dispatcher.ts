import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { Settings } from '../config/settings.ts';
import type { MqttDriver } from '../drivers/mqtt.ts';
import { probeServer } from '../drivers/probe.ts';
import type { Failure } from '../results/measurement.ts';
import { reasonCode } from '../slots/answers.ts';
import type { Ending, RunRequest, SlotEffect, SlotEvent } from '../slots/events.ts';
import type { Slots } from '../slots/slots.ts';
import { StoreError } from '../store/errors.ts';
import type { RunRow } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { Afterwards } from './afterwards.ts';
import type { Progress, ProgressBoard } from './progress.ts';
import { requestOfLease, runRequest } from './run-request.ts';
import type { Settled, Settlement } from './settlement.ts';

export interface DispatcherOptions {
  settings: () => Settings;
  slots: Slots;
  store: Store;
  driver: MqttDriver;
  settlement: Settlement;
  board: ProgressBoard;
  clock: Clock;
  log: Log;
  /** The store can't keep a lease: nothing more may be granted, the controller has to stop. */
  onFatal: (error: Error) => void;
  /** Called when rows were added for InfluxDB. */
  onPoints: () => void;
}

/** Done one by one and in order: a lease is on disk before its `start` is sent. The rest of a step is one transaction. */
const BEFORE_ALL: ReadonlySet<SlotEffect['type']> = new Set(['save-lease', 'cancel', 'start']);

/**
 * What a restart would do again, or ask the agent about: after it nobody needs to wait for the disk. What ends a run is not among it.
 */
const REDONE: ReadonlySet<SlotEffect['type']> = new Set([
  ...(['prepare', 'granted', 'drop-lease', 'slot', 'phase', 'released', 'probe'] as const),
]);

/** What a refused run's reason means: a name that does not resolve is the network's fault, everything else the device's. */
const refusal = (reason: string): Failure =>
  reasonCode(reason) === 'unresolved'
    ? { class: 'unreachable', message: reason, retryable: true }
    : { class: 'local', message: reason, retryable: false };

/**
 * The hands of the slots: takes events in, and does what the slots ask for, in their order.
 * A store that can't be written ends the controller before anything is sent that is not on disk.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  #queue: SlotEvent[] = [];
  #busy = false;
  #stopped = false;
  #cancelWake = () => {};
  readonly #afterwards: Afterwards;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#afterwards = new Afterwards((error) =>
      options.log.error({ error }, 'something could not be done: this is a defect'),
    );
  }

  /** Takes up what the store knows after a restart: leases are asked for again, runs wait again. */
  recover(): void {
    const { store, slots, clock } = this.#options;
    const leases = store.leases.list();
    const leased = new Set(leases.map((row) => row.run));
    const found = leases.map((row) => {
      const run = store.runs.get(row.run);
      if (run === null) return { row, request: requestOfLease(row, clock.now()), cancelled: 'the run is unknown' };
      const request = { ...this.#request(run), tests: row.tests };
      return { row, request, cancelled: run.state === 'final' ? 'the run was over' : null };
    });
    this.#perform(slots.recover(found, clock.now()));
    for (const run of store.runs.open()) {
      if (!leased.has(run.run) && !run.awaits_result) this.submit(run.run);
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

  /** Takes one event, and does what the slots want done. Events that come meanwhile wait for their turn. */
  handle(event: SlotEvent): void {
    this.#queue.push(event);
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined && !this.#stopped; next = this.#queue.shift()) {
        this.#perform(this.#options.slots.handle(next, this.#options.clock.now()));
      }
    } finally {
      this.#busy = false;
    }
    this.#rearm();
  }

  /** Tells everybody who holds which slot now: what the broker remembers may be older. */
  showSlots(): void {
    for (const effect of this.#options.slots.slotEffects(this.#options.clock.now())) this.#showSlot(effect);
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
    if (settled === 'final') this.#tell({ phase: 'final', run: id, at: this.#at() });
    if (settled === 'retry') this.submit(id);
  }

  #perform(effects: SlotEffect[]): void {
    const rest = effects.filter((effect) => !BEFORE_ALL.has(effect.type));
    for (const effect of effects) {
      if (BEFORE_ALL.has(effect.type) && !this.#stopped) this.keep(() => this.#do(effect));
    }
    if (rest.length === 0 || this.#stopped) return;
    const { store } = this.#options;
    const doAll = () => {
      for (const effect of rest) this.#do(effect);
    };
    const redone = rest.every((effect) => REDONE.has(effect.type));
    const work = () => this.keep(() => (redone ? store.deferred(doAll) : store.atomically(doAll)));
    if (this.#afterwards.isEmpty && rest.length === effects.length) work();
    else this.#afterwards.add(work);
  }

  /** Does `work` when what was just sent is on its way, unless the dispatcher was stopped before. */
  later(work: () => void): void {
    this.#afterwards.add(() => {
      if (!this.#stopped) work();
    });
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

  #do(effect: SlotEffect): void {
    const { store, driver, clock, settings } = this.#options;
    switch (effect.type) {
      case 'prepare': {
        const server = settings().servers.get(effect.server);
        if (server !== undefined) driver.prepare(effect, server);
        break;
      }
      case 'start': {
        const { device, run, token, nonce, lease_ms } = effect;
        store.leases.ensureOnDisk(token);
        driver.start(device, run, token, nonce, settings().servers.get(effect.server) ?? null, lease_ms);
        break;
      }
      case 'cancel':
        driver.cancel(effect.device, effect.run, effect.reason);
        break;
      case 'save-lease':
        store.leases.save(effect.lease);
        break;
      case 'granted': {
        const { token, run, server, tests } = effect.lease;
        store.runs.noteGrant({ token, run, server, via: 'agent', at_ms: clock.wall(), tests });
        break;
      }
      case 'drop-lease':
        store.leases.drop(effect.token);
        break;
      case 'slot':
        this.#showSlot(effect);
        break;
      case 'phase':
        this.#phase(effect);
        break;
      case 'released':
        this.#tell({ phase: 'finished', run: effect.run, at: this.#at() });
        break;
      case 'ended':
        this.#ended(effect.run, effect.ending);
        break;
      case 'probe':
        this.#probe(effect.server);
        break;
    }
  }

  #showSlot({ server, lease }: Extract<SlotEffect, { type: 'slot' }>): void {
    const { driver, clock } = this.#options;
    if (lease === null) {
      driver.slot(server, { device: null, run: null, token: null, until: null, length_ms: null });
      return;
    }
    const { device, run, token, length_ms, rest_ms } = lease;
    const until = new Date(clock.wall() + length_ms).toISOString();
    driver.slot(server, { device, run, token, until, length_ms: Math.ceil(length_ms + rest_ms) });
  }

  #phase(effect: Extract<SlotEffect, { type: 'phase' }>): void {
    const { store } = this.#options;
    const { run, phase } = effect;
    const at = this.#at();
    if (phase === 'waiting') {
      // Granted before and waiting again: no result will come for that token.
      store.runs.noteRequeued(run);
      this.#tell({ phase, run, at, reason: null });
    } else if (phase === 'on-deck') this.#tell({ phase, run, at, server: effect.server });
    else this.#tell({ phase, run, at, server: effect.server, tests: store.runs.get(run)?.tests ?? [] });
  }

  #ended(run: string, ending: Ending): void {
    const { settlement, store, clock, log, onPoints } = this.#options;
    const at_ms = clock.wall();
    switch (ending.how) {
      case 'refused':
        this.followUp(run, settlement.attemptFailed(run, refusal(ending.reason), ending.server, at_ms));
        break;
      case 'interrupted': {
        const message = `the agent lost the run: ${ending.reason}`;
        this.followUp(
          run,
          settlement.attemptFailed(run, { class: 'link-lost', message, retryable: true }, null, at_ms),
        );
        break;
      }
      case 'overdue':
        log.warn({ run, reason: ending.reason }, 'the deadline of a run passed; its result may still come');
        store.runs.setOverdue(run, at_ms);
        return;
      case 'skipped':
      case 'missed':
      case 'cancelled':
        if (ending.how !== 'cancelled') log.warn({ run, reason: ending.reason }, `run ${ending.how}`);
        if (settlement.end(run, ending.how, ending.reason, at_ms)) this.followUp(run, 'final');
        break;
    }
    onPoints();
  }

  #probe(server: string): void {
    const { settings, clock, log } = this.#options;
    const target = settings().servers.get(server);
    if (target === undefined) return;
    void probeServer(target.host, target.port, clock).then((verdict) => {
      log.info({ server, verdict }, 'probed a server that rests after an unclean end');
      this.handle({ type: 'probed', server, verdict });
    });
  }

  #request(run: RunRow): RunRequest {
    const { settings, store, clock } = this.#options;
    return runRequest(run, store.devices.get(run.device) ?? { uplink_group: null, tags: [] }, settings(), clock);
  }

  #tell(progress: Progress): void {
    this.#options.board.tell(progress);
  }

  #at(): string {
    return new Date(this.#options.clock.wall()).toISOString();
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
