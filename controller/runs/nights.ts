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

export interface NightsOptions {
  settings: () => Settings;
  store: Store;
  settlement: Settlement;
  /** Called with each run that is new; those that are over already are to be left alone. */
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
  #cancel = () => {};

  constructor(options: NightsOptions) {
    this.#options = options;
  }

  start(): void {
    this.look();
  }

  stop(): void {
    this.#cancel();
  }

  /** Plans what is due now, and comes back when the next night begins. */
  look(): void {
    this.#cancel();
    const { settings, store, clock, onFatal } = this.#options;
    const now_ms = clock.wall();
    let next: number | null;
    try {
      const plan = planNight({
        organizations: settings().organizations,
        devices: store.devices.list(),
        done: store.nights.history(),
        now_ms,
      });
      this.#carryOut(plan);
      next = plan.next_wake_ms;
    } catch (error) {
      onFatal(error as Error);
      return;
    }
    const wait = next === null ? LOOK_MS : Math.min(next - now_ms, LOOK_MS);
    this.#cancel = clock.after(wait, () => this.look());
  }

  #carryOut(plan: NightPlan): void {
    const { store, settlement, submit, log } = this.#options;
    if (plan.planned.size === 0) return;
    const whole = (run: DueRun): NewRun => ({
      ...run,
      run: newRunId(),
      server: null,
      origin: 'schedule',
      not_before_ms: run.requested_at_ms,
    });
    const due = plan.due.map(whole);
    const missed = plan.missed.flatMap(({ devices, ...night }) => devices.map((device) => whole({ ...night, device })));
    const added = store.nights.plan([...due, ...missed], plan.planned);
    for (const { run, window_end_ms } of missed) settlement.end(run, 'missed', 'controller-was-down', window_end_ms);
    if (added.length > 0) {
      log.info({ runs: due.length, missed: missed.length, nights: [...plan.planned.values()] }, 'planned a night');
    }
    for (const run of added) submit(run);
  }
}
