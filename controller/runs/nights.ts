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

/** So many runs are written down and handed on at a time. */
const BATCH = 250;

/** A run of a night; one whose window nobody was there for has missed it. */
interface Turn {
  row: NewRun;
  missed_at_ms: number | null;
}

export interface NightsOptions {
  settings: () => Settings;
  store: Store;
  settlement: Settlement;
  /** Called with each run that is new and not over. */
  submit: (run: string) => void;
  onFatal: (error: Error) => void;
  /** Called when rows were added for InfluxDB. */
  onPoints: () => void;
  clock: Clock;
  log: Log;
}

/** A run id that is free: 60 random bits. */
export const newRunId = (): string => `r-${randomBytes(8).toString('hex').slice(0, 15)}`;

/**
 * Turns each night of the schedule into runs, once. They go to disk in batches, each with a turn of the event loop before the next: a night
 * of many devices must not keep results and hand-offs waiting. The history goes with the last batch. After a crash in between the
 * night is planned again, and what is there already stays as it is: a device has one run a night.
 */
export class Nights {
  readonly #options: NightsOptions;
  /** Takes back what comes next: a batch of the night that is being written down, or else a look at the clock. */
  #cancelNext = () => {};
  #next_wake_ms: number | null = null;
  #clockWentBack = false;

  constructor(options: NightsOptions) {
    this.#options = options;
  }

  start(): void {
    this.look();
  }

  stop(): void {
    this.#cancelNext();
  }

  /** Plans what is due now, and comes back when the next night begins. To be called again when settings have changed. */
  look(): void {
    this.#guarded(() => this.#warnOfStrays());
    this.#look();
  }

  #look(): void {
    this.stop();
    const { settings, store, clock } = this.#options;
    this.#guarded(() => {
      const now_ms = clock.wall();
      const { organizations } = settings();
      const done = store.nights.history();
      const plan = planNight({ organizations, devices: () => store.nights.devices(), done, now_ms });
      this.#watchClock(plan);
      this.#next_wake_ms = plan.next_wake_ms;
      this.#carryOut(plan);
    });
  }

  /** Nothing is to be done before the next night begins, but to see whether the clock has jumped. */
  #rest(): void {
    const { clock } = this.#options;
    const wait = this.#next_wake_ms === null ? LOOK_MS : Math.min(this.#next_wake_ms - clock.wall(), LOOK_MS);
    this.#cancelNext = clock.after(wait, () => this.#look());
  }

  #carryOut(plan: NightPlan): void {
    const { planned, gone } = plan;
    if (planned.length === 0 && gone.length === 0) {
      this.#rest();
      return;
    }
    const turn = (due: DueRun, missed_at_ms: number | null): Turn => {
      return { row: { ...due, run: newRunId(), server: null, origin: 'schedule' }, missed_at_ms };
    };
    const turns = [
      ...plan.due.map((due) => turn(due, null)),
      ...plan.missed.map((due) => turn(due, due.window_end_ms)),
    ];
    if (turns.length > 0) {
      this.#options.log.info({ runs: plan.due.length, missed: plan.missed.length }, 'planned a night');
      this.#warnOfStrays();
    }
    this.#handOn(turns, 0, { planned, gone });
  }

  #handOn(turns: readonly Turn[], from: number, marks: Pick<NightPlan, 'planned' | 'gone'>): void {
    const { submit, clock, onPoints } = this.#options;
    const next = from + BATCH;
    const added = this.#write(turns.slice(from, next), next < turns.length ? null : marks);
    onPoints();
    for (const { row, missed_at_ms } of added) if (missed_at_ms === null) submit(row.run);
    if (next >= turns.length) this.#rest();
    else this.#cancelNext = clock.after(0, () => this.#guarded(() => this.#handOn(turns, next, marks)));
  }

  /** One transaction. Returns the runs that are new: those of a night that was planned before a crash, or before a clock went back, are there. */
  #write(batch: readonly Turn[], marks: Pick<NightPlan, 'planned' | 'gone'> | null): Turn[] {
    const { store, settlement } = this.#options;
    return store.atomically(() => {
      const known = new Set(store.runs.add(batch.map(({ row }) => row)));
      const added = batch.filter(({ row }) => known.has(row.run));
      for (const { row, missed_at_ms } of added) {
        if (missed_at_ms !== null) settlement.end(row.run, 'missed', 'controller-was-down', missed_at_ms);
      }
      if (marks !== null) store.nights.mark(marks);
      return added;
    });
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
