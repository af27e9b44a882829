import type { ResultKey, RunResult } from '../../broker/contract/messages.ts';
import type { Log } from '../../broker/log.ts';
import type { Alerts } from '../alerts/alerts.ts';
import { reachedBy } from '../alerts/reached.ts';
import type { AlertOutcome, AlertWrite } from '../alerts/write.ts';
import type { CheckSettings } from '../config/settings.ts';
import { decideEnd, decideRun, type RunSoFar, type Verdict } from '../results/decide-run.ts';
import type { Failure, Measurement } from '../results/measurement.ts';
import type { TestFailure } from '../results/read-run.ts';
import type { Outcome } from '../run-record.ts';
import type { Ending } from '../store/results.ts';
import type { Grant, RunRow } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { readAttempt } from './attempt.ts';
import {
  type AttemptEnd,
  endingOf,
  endPoints,
  type RunChange,
  type RunEnd,
  retryOf,
  timedPoints,
} from './run-change.ts';

export interface SettlementOptions {
  store: Store;
  /** Whether points are to be queued for InfluxDB. */
  influx: boolean;
  /** How often runs of an organization's devices with these tags are tried again, and after which wait. */
  checkOf: (organization: string, tags: readonly string[]) => Pick<CheckSettings, 'retries' | 'backoff_ms'>;
  random: () => number;
  log: Log;
  /** Without it no rule is looked at. */
  alerts?: Pick<Alerts, 'evaluate'>;
  /** Called in the transaction that brought it about, when there are notices to deliver or confirming runs to order: to be done after it. */
  onAlerts?: (outcome: AlertOutcome) => void;
}

/** Whether a result with this token decides about the run: it is its latest grant's, and nothing else has decided before. */
const decides = (run: RunRow, token: number): boolean =>
  run.state !== 'final' && run.awaits_result && run.granted_token === token;

/** The grant with this token, if it is the run's latest: that one need not be looked up. */
const latestGrant = (run: RunRow, token: number): Grant | null => {
  const { granted_server: server, granted_via: via, granted_at_ms: at_ms, granted_tests: tests } = run;
  if (run.granted_token !== token || server === null || via === null || at_ms === null || tests === null) return null;
  return { token, run: run.run, server, via, at_ms, tests };
};

/** What became of a run: it is over, waits for another attempt, or nothing has changed. */
export type Settled = 'final' | 'retry' | 'unchanged';

/** What a result comes to. `served`: what it says of its server now; null when it decides nothing, or came too late for that. */
export interface SettledResult {
  settled: Settled;
  served: { server: string; busy_elsewhere: boolean } | null;
}

/**
 * Decides what an attempt means for its run and writes it down: one transaction per result, and whatever was not written was
 * not settled. Throws StoreError when the store can't be written; then nothing may be accepted.
 */
export class Settlement {
  readonly #options: SettlementOptions;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** A result from a device. A result that nobody knows, or that makes no sense, changes nothing and is to be accepted all the same. */
  result(device: string, result: RunResult, at_ms: number): SettledResult {
    const { store } = this.#options;
    const { run: id, token } = result;
    const known = this.#knownGrant(device, result);
    if (known === null) return { settled: 'unchanged', served: null };
    const { run, grant } = known;
    const attempt = readAttempt(run, grant, result.tests);
    const { measurements, failures, warnings, system, moved_bytes, timed, duration_s } = attempt;
    const verdict = decides(run, token) ? this.#verdict(run, measurements, failures, at_ms) : null;
    const change = verdict === null ? null : this.#change(run, verdict, failures, { at_ms, duration_s });
    const outcome = store.atomically(() => {
      const stored = store.results.store({
        run: id,
        token,
        at_ms,
        outputs: result.tests,
        moved_bytes,
        measurements: timed,
        failures,
        warnings,
        system,
        points: this.#options.influx ? timedPoints(run, grant.server, timed) : [],
        change,
      });
      const reached = reachedBy(failures, measurements.length > 0);
      const told = { token, server: grant.server, at_ms, measurements: timed, reached };
      if (stored === 'stored') this.#alert(run, told, change?.kind === 'final' ? change.ending : null);
      return stored;
    });
    if (outcome === 'duplicate' || verdict === null) return { settled: 'unchanged', served: null };
    const busy_elsewhere = failures.some((failure) => failure.class === 'busy');
    const served = run.state === 'open' ? { server: grant.server, busy_elsewhere } : null;
    return { settled: verdict.verdict, served };
  }

  /** A result that can't be read ends the attempt that it is of, if its run still waits for it. */
  unreadable(device: string, key: ResultKey, reason: string, at_ms: number): Settled {
    const known = this.#knownGrant(device, key);
    if (known === null || !decides(known.run, key.token)) return 'unchanged';
    const message = `the agent sent a result that can't be read: ${reason}`;
    return this.attemptFailed(key.run, { class: 'malformed', message, retryable: false }, null, at_ms);
  }

  /**
   * An attempt that brought no result: the agent refused it, or lost it. All tests share the failure. `server` is the one that it was
   * on deck for; null when it was granted.
   */
  attemptFailed(id: string, failure: Failure, server: string | null, at_ms: number): Settled {
    const { store } = this.#options;
    const run = store.runs.get(id);
    if (run === null || run.state === 'final') return 'unchanged';
    const failures = run.tests.map((test) => ({ ...failure, test: test.test }));
    const verdict = this.#verdict(run, [], failures, at_ms);
    const placed = { ...run, granted_server: server ?? run.granted_server };
    const change = this.#change(placed, verdict, failures, { at_ms, duration_s: 0 });
    store.atomically(() => {
      if (change.kind === 'retry') store.runs.retry(id, { ...change.retry, failures }, at_ms);
      else store.results.finish(id, change.ending, failures);
      // What was refused, or granted and lost, says something of the agent, not of its server.
      const attempt = {
        token: run.granted_token,
        server: placed.granted_server,
        at_ms,
        measurements: [],
        reached: null,
      };
      this.#alert(run, attempt, change.kind === 'final' ? change.ending : null);
    });
    return verdict.verdict;
  }

  /**
   * A run that ends without an attempt's result. One that was tried, failed and has no turn again, for whatever reason, is neither `skipped`
   * nor `missed`: it ends as if its retries were used up. False when it was over already.
   */
  end(id: string, outcome: Outcome, reason: string, at_ms: number): boolean {
    const { results, runs, records } = this.#options.store;
    const run = runs.get(id);
    if (run === null || run.state === 'final') return false;
    const since = run.granted_at_ms;
    const duration_s = since === null ? 0 : Math.max(0, at_ms - since) / 1000;
    const tried = Object.keys(run.failed_attempts).length > 0 && (outcome === 'skipped' || outcome === 'missed');
    const failures = records.list({ run: id }).flatMap((record) => record.failures);
    const end = tried ? decideEnd(this.#soFar(run, [], failures, at_ms)) : { outcome, reason, zeros: [] };
    const ending = this.#ending(run, end, { at_ms, duration_s });
    const { granted_token: token, granted_server } = run;
    const attempt = { token, server: granted_server ?? run.server, at_ms, measurements: [], reached: null };
    return this.#options.store.atomically(() => {
      const isEnded = results.finish(id, ending, run.failures);
      if (isEnded) this.#alert(run, attempt, ending);
      return isEnded;
    });
  }

  /** What a write means for alerts. To be called in its transaction. */
  #alert(
    { run, device, granted_at_ms, origin, plan }: RunRow,
    attempt: Omit<AlertWrite, 'run' | 'device' | 'end'>,
    ending: Ending | null,
  ) {
    const { alerts, onAlerts } = this.#options;
    if (alerts === undefined) return;
    const time_ms = granted_at_ms ?? attempt.at_ms;
    const only = origin === 'retest' ? plan.map(({ test }) => test) : null;
    const end = ending === null ? null : { ...ending, time_ms, only };
    const outcome = alerts.evaluate({ run, device, ...attempt, end });
    if (outcome.notices > 0 || outcome.retests.length > 0) onAlerts?.(outcome);
  }

  /** The run and the grant that a device's result is of; null, and a warning, when nobody asked this device for it. */
  #knownGrant(device: string, { run: id, token }: ResultKey): { run: RunRow; grant: Grant } | null {
    const { store, log } = this.#options;
    const run = store.runs.get(id);
    const grant = run === null ? null : (latestGrant(run, token) ?? store.runs.grant(token));
    if (run?.device === device && grant?.run === id) return { run, grant };
    log.warn({ device, run: id, token }, 'accepted a result that nobody asked for; it is not stored');
    return null;
  }

  #verdict(run: RunRow, measurements: Measurement[], failures: TestFailure[], now_ms: number): Verdict {
    return decideRun(this.#soFar(run, measurements, failures, now_ms));
  }

  /** With all that was measured of the run so far, and what failed in this attempt. */
  #soFar(run: RunRow, measurements: Measurement[], failures: TestFailure[], now_ms: number): RunSoFar {
    const { store, checkOf, random } = this.#options;
    const { retries, backoff_ms } = checkOf(run.organization, store.devices.tags(run.device));
    return {
      plans: run.plan,
      measurements: [...store.results.measured(run.run), ...measurements],
      failures,
      earlier: run.failed_attempts,
      retries,
      backoff_ms,
      now_ms,
      window_end_ms: run.window_end_ms,
      random,
    };
  }

  #change(run: RunRow, verdict: Verdict, failures: TestFailure[], when: AttemptEnd): RunChange {
    return verdict.verdict === 'final'
      ? { kind: 'final', ending: this.#ending(run, verdict, when) }
      : { kind: 'retry', retry: retryOf(run, verdict, failures, when.at_ms) };
  }

  #ending(run: RunRow, end: RunEnd, when: AttemptEnd): Ending {
    const ending = endingOf(run, end, when);
    return { ...ending, points: this.#options.influx ? endPoints(run, ending) : [] };
  }
}
