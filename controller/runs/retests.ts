import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { Alerts } from '../alerts/alerts.ts';
import { HOLD_MS } from '../alerts/step.ts';
import type { Retest } from '../alerts/write.ts';
import type { Settings } from '../config/settings.ts';
import { checkOf } from '../schedule/check-of.ts';
import type { RunRow } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { newRunId } from './nights.ts';
import { retestPlan } from './retest-plan.ts';

export interface RetestsOptions {
  settings: () => Settings;
  store: Store;
  alerts: Pick<Alerts, 'noteRetest'>;
  clock: Pick<Clock, 'wall'>;
  log: Log;
  /** Called with each run that is new: it is to wait for its turn once the transaction is over. */
  submit: (run: string) => void;
}

/** Orders the runs that alerts wait for before they fire. */
export class Retests {
  readonly #options: RetestsOptions;

  constructor(options: RetestsOptions) {
    this.#options = options;
  }

  /**
   * One run for each device and server, however many rules wait for it; one that is open already will do when it measures the same. To be
   * called in the transaction that brought it about: no alert waits for a run that was never ordered. Without a run the alert fires when it has
   * waited for HOLD_MS, or ends when its metric is not measured any more.
   */
  order(retests: readonly Retest[]): void {
    const apart = new Map<string, Retest[]>();
    for (const retest of retests) {
      const key = `${retest.device} ${retest.server}`;
      apart.set(key, [...(apart.get(key) ?? []), retest]);
    }
    for (const [first, ...more] of apart.values()) {
      if (first !== undefined) this.#options.store.atomically(() => this.#orderFor(first, [first, ...more]));
    }
  }

  #orderFor({ device, server }: Pick<Retest, 'device' | 'server'>, retests: readonly Retest[]): void {
    const { settings, store, alerts, log } = this.#options;
    const row = store.devices.get(device);
    const organization = settings().organizations.get(row?.organization ?? '');
    if (row === null || organization === undefined) return;
    const { tests } = checkOf(organization, row.tags);
    const wanted = new Set(retests.flatMap(({ metric }) => retestPlan(metric, tests)));
    if (wanted.size === 0) {
      const rules = retests.map(({ rule }) => rule);
      log.warn({ device, rules }, 'the check measures nothing that could confirm an alert: it ends soon');
      return;
    }
    const plan = tests.filter((test) => wanted.has(test));
    const names = plan.map(({ test }) => test);
    const run = this.#openFor(device, server, names) ?? this.#add(row, server, plan);
    log.info({ device, server, run, tests: names }, 'an alert waits for a confirming run');
    for (const retest of retests) alerts.noteRetest(retest, run);
  }

  /** A confirming run that is not over and has all of these tests before it. */
  #openFor(device: string, server: string | null, tests: readonly string[]): string | null {
    const measures = (run: RunRow) => tests.every((name) => run.tests.some(({ test }) => test === name));
    const equal = (run: RunRow) => run.origin === 'retest' && run.server === server && run.state === 'open';
    return this.#options.store.runs.openOf(device).find((run) => equal(run) && measures(run))?.run ?? null;
  }

  #add(
    { device, organization }: { device: string; organization: string },
    server: string | null,
    tests: RunRow['tests'],
  ): string {
    const { store, clock, submit } = this.#options;
    const now = clock.wall();
    const run = newRunId();
    const when = { requested_at_ms: now, not_before_ms: now, window_end_ms: now + HOLD_MS };
    store.runs.add([{ run, device, organization, server, origin: 'retest', night: null, tests, ...when }]);
    submit(run);
    return run;
  }
}
