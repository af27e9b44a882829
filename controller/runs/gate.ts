import type { Clock } from '../../broker/clock.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import type { Settings } from '../config/settings.ts';
import { plannedBytes } from '../results/moved-bytes.ts';
import { budgetVerdict } from '../schedule/budget.ts';
import { dayStart, monthStart } from '../schedule/calendar.ts';
import { dailyVerdict } from '../schedule/daily.ts';
import type { Store } from '../store/store.ts';
import { checkOfRun } from './check-of-run.ts';

/** How many of a device's last runs an estimate is made from. */
const LAST_RUNS = 3;

export interface GateOptions {
  settings: () => Settings;
  store: Store;
  clock: Pick<Clock, 'wall'>;
}

/** Looked at before a device is asked to prepare: whether its byte budget and its runs of the day admit one more run. */
export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Why the run is not to be tried; null when it may be. The limit of a day is for the schedule: what a person asks for counts, and is not refused. */
  refusal({
    run: id,
    device,
    tests,
  }: {
    run: string;
    device: string;
    tests: readonly TestPlan[];
  }): 'over-budget' | 'daily-limit' | null {
    const { settings, store, clock } = this.#options;
    const run = store.runs.get(id);
    if (run === null) return null;
    const { monthly_budget: budget, max_runs_per_day, timezone } = checkOfRun(run, settings(), store);
    const now_ms = clock.wall();
    if (budget !== null) {
      const used = store.moved.since(device, monthStart(now_ms, timezone));
      const verdict = budgetVerdict({ budget, used, estimate: this.estimate(device, tests) });
      if (!verdict.ok) return verdict.reason;
    }
    if (max_runs_per_day !== null && run.origin === 'schedule') {
      const runs_today = store.moved.runsSince(device, dayStart(now_ms, timezone), id);
      const verdict = dailyVerdict({ limit: max_runs_per_day, runs_today });
      if (!verdict.ok) return verdict.reason;
    }
    return null;
  }

  /** How many bytes these tests will move: as many as the most of the device's last runs of them, else what the plan says. */
  estimate(device: string, tests: readonly TestPlan[]): number {
    const last = this.#options.store.moved.lastOf(device, tests, LAST_RUNS);
    return last.length > 0 ? Math.max(...last) : plannedBytes(tests);
  }
}
