import { randomBytes } from 'node:crypto';
import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { Settings } from '../config/settings.ts';
import { type DueRun, type NightPlan, planNight } from '../schedule/plan-night.ts';
import type { NewRun } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { Settlement } from './settlement.ts';

/** The clock is looked at this often at least: it may jump. */
const LOOK_MS = 60_000;

/** So many runs are handed on at a time. */
const BATCH = 250;

export interface NightsOptions {
  settings: () => Settings;
  store: Store;
  settlement: Settlement;
  /** Called with each run that is new and not over. */
  submit: (run: string) => void;
  onFatal: (error: Error) => void;
  clock: Clock;
  log: Log;
}

/** A run id that is free: 60 random bits. */
export const newRunId = (): string => `r-${randomBytes(8).toString('hex').slice(0, 15)}`;

/** Turns each night of the schedule into runs, once: the history and the runs go to disk together. */
export class Nights {
  readonly #options: NightsOptions;
  #cancelLook = () => {};
  #cancelBatch = () => {};
  /** New runs that are still to be handed on, in the order of their nights. */
  #waiting: string[] = [];
  #clockWentBack = false;

  constructor(options: NightsOptions) {
    this.#options = options;
  }

  start(): void {
    this.look();
  }

  /** Runs that were not handed on yet are on disk: the next start finds them. */
  stop(): void {
    this.#cancelLook();
    this.#cancelBatch();
  }

  /** Plans what is due now, and comes back when the next night begins. To be called again when settings have changed. */
  look(): void {
    this.#guarded(() => this.#warnOfStrays());
    this.#look();
  }

  #look(): void {
    this.#cancelLook();
    const { settings, store, clock } = this.#options;
    this.#guarded(() => {
      const now_ms = clock.wall();
      const { organizations } = settings();
      const done = store.nights.history();
      const plan = planNight({ organizations, devices: () => store.nights.devices(), done, now_ms });
      this.#watchClock(plan);
      this.#carryOut(plan);
      const wait = plan.next_wake_ms === null ? LOOK_MS : Math.min(plan.next_wake_ms - now_ms, LOOK_MS);
      this.#cancelLook = clock.after(wait, () => this.#look());
    });
  }

  #carryOut(plan: NightPlan): void {
    if (plan.planned.length === 0 && plan.gone.length === 0) return;
    const { store, settlement, log } = this.#options;
    const whole = (run: DueRun): NewRun => ({ ...run, run: newRunId(), server: null, origin: 'schedule' });
    const due = plan.due.map(whole);
    const missed = plan.missed.map(whole);
    const added = store.atomically(() => {
      const ids = new Set(store.nights.plan([...due, ...missed], plan));
      for (const { run, window_end_ms } of missed) {
        if (ids.delete(run)) settlement.end(run, 'missed', 'controller-was-down', window_end_ms);
      }
      return ids;
    });
    if (due.length + missed.length === 0) return;
    log.info({ runs: added.size, missed: missed.length }, 'planned a night');
    this.#warnOfStrays();
    this.#cancelBatch();
    this.#waiting.push(...added);
    this.#handOn();
  }

  /** A batch now and the next one when others had their turn: a night of many devices must not keep results waiting. */
  #handOn(): void {
    const { submit, clock } = this.#options;
    for (const run of this.#waiting.splice(0, BATCH)) submit(run);
    if (this.#waiting.length > 0) {
      this.#cancelBatch = clock.after(0, () => this.#guarded(() => this.#handOn()));
    }
  }

  /** Devices whose organization is not in the configuration have no check; nobody should have to find out by their silence. */
  #warnOfStrays(): void {
    const { settings, store, log } = this.#options;
    for (const [organization, devices] of store.nights.population()) {
      if (settings().organizations.has(organization)) continue;
      const why =
        'devices of an organization that is not in the configuration are not measured: add it, or remove them';
      log.warn({ organization, devices }, why);
    }
  }

  /** Says once that nights come no more because they were planned already. */
  #watchClock({ ahead_ms }: NightPlan): void {
    const behind = ahead_ms > LOOK_MS;
    if (behind && !this.#clockWentBack) {
      const why = 'the clock is behind the nights that were planned: those do not come again';
      this.#options.log.warn({ behind_s: Math.round(ahead_ms / 1000) }, why);
    }
    this.#clockWentBack = behind;
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onFatal(error as Error);
    }
  }
}
