import type { RunResult, TestPlan } from '../../broker/contract/messages.ts';
import type { CheckSettings } from '../../controller/config/settings.ts';
import { decideEnd, decideRun, type RunSoFar, type Verdict } from '../../controller/results/decide-run.ts';
import type { Failure, Measurement } from '../../controller/results/measurement.ts';
import { type RunReading, readRun, type TestFailure } from '../../controller/results/read-run.ts';
import type { Outcome } from '../../controller/run-record.ts';
import type { RunRow } from '../../controller/store/runs.ts';
import type { Disk } from './disk.ts';
import type { RecordLaws } from './laws/record-laws.ts';

/** What became of a run: it is over, waits for another attempt, or nothing has changed. */
export type Settled = 'final' | 'retry' | 'unchanged';

export interface SettlementOptions {
  disk: Disk;
  laws: RecordLaws;
  random: () => number;
  checkOf: (run: RunRow) => Pick<CheckSettings, 'retries' | 'backoff_ms'>;
  /** Called once for each run that is over. */
  onEnd: (outcome: Outcome, reason: string | null) => void;
}

const DEMAND_RETRY_MS = 5000;

/** Kept in memory. */
const MOST_READINGS = 10_000;

const readings = new Map<string, RunReading>();

/** The product's reading of a result. There are few that differ, and reading is slow. */
const reading = (tests: TestPlan[], outputs: RunResult['tests']): RunReading => {
  const key = JSON.stringify([
    tests,
    outputs.map(({ test, stdout, ended_ms, started_ms }) => [test, stdout, Math.round((ended_ms - started_ms) / 1000)]),
  ]);
  const known = readings.get(key) ?? readRun(tests, outputs);
  if (readings.size < MOST_READINGS) readings.set(key, known);
  return known;
};

/** What an attempt means for its run: controller/runs/settlement.ts on the simulated disk, around the product's own decisions. */
export class Settlement {
  readonly #options: SettlementOptions;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** A result of a device, and whether the server was busy with somebody else; null when it decides nothing, or came too late to say that. */
  result(device: string, result: RunResult, at_ms: number): { settled: Settled; busy: boolean | null } {
    const { disk, laws } = this.#options;
    const run = disk.runs.get(result.run);
    const grant = disk.grants.get(result.token);
    if (run?.device !== device || grant?.run !== result.run) return { settled: 'unchanged', busy: null };
    const key = `${result.run}/${result.token}`;
    if (disk.results.get(key)) return { settled: 'unchanged', busy: null };
    const { measurements, failures } = reading(grant.tests, result.tests);
    const decides = run.state !== 'final' && run.awaits_result && run.granted_token === result.token;
    const verdict = decides ? this.#verdict(run, failures, at_ms, measurements) : null;
    disk.journal.deferred(() => {
      disk.results.set(key, true);
      disk.measured.set(run.run, [...(disk.measured.get(run.run) ?? []), ...measurements]);
      if (verdict !== null) this.#carryOut(run, verdict, failures, at_ms);
      disk.journal.whenOnDisk(() => laws.settled(run.run, result.token));
    });
    const says = verdict !== null && run.state === 'open';
    const busy = says ? failures.some((one) => one.class === 'busy') : null;
    return { settled: verdict?.verdict ?? 'unchanged', busy };
  }

  /** An attempt that brought no result. */
  attemptFailed(id: string, failure: Failure, at_ms: number): Settled {
    const run = this.#options.disk.runs.get(id);
    if (run === undefined || run.state === 'final') return 'unchanged';
    const failures = run.tests.map(({ test }) => ({ ...failure, test }));
    const verdict = this.#verdict(run, failures, at_ms, []);
    this.#carryOut(run, verdict, failures, at_ms);
    return verdict.verdict;
  }

  /** A run that ends without an attempt's result; one that was tried before ends by what those attempts came to. False when it was over already. */
  end(id: string, outcome: Outcome, reason: string, at_ms: number): boolean {
    const run = this.#options.disk.runs.get(id);
    if (run === undefined || run.state === 'final') return false;
    const tried = Object.keys(run.failed_attempts).length > 0 && (outcome === 'skipped' || outcome === 'missed');
    const end = tried ? decideEnd(this.#soFar(run, run.failures, at_ms, [])) : { outcome, reason };
    this.#finish(id, end.outcome, end.reason, at_ms);
    return true;
  }

  #finish(id: string, outcome: Outcome, reason: string | null, at_ms: number): void {
    const { disk, laws, onEnd } = this.#options;
    disk.change(id, { state: 'final', outcome, reason, finished_at_ms: at_ms, awaits_result: false });
    disk.journal.whenOnDisk(() => {
      laws.ended(id, outcome);
      onEnd(outcome, reason);
    });
  }

  #verdict(run: RunRow, failures: TestFailure[], now_ms: number, measurements: readonly Measurement[]): Verdict {
    return decideRun(this.#soFar(run, failures, now_ms, measurements));
  }

  #soFar(run: RunRow, failures: TestFailure[], now_ms: number, measurements: readonly Measurement[]): RunSoFar {
    const { disk, random, checkOf } = this.#options;
    const { retries, backoff_ms } = checkOf(run);
    return {
      plans: run.plan,
      measurements: [...(disk.measured.get(run.run) ?? []), ...measurements],
      failures,
      earlier: run.failed_attempts,
      retries,
      backoff_ms,
      now_ms,
      window_end_ms: run.window_end_ms,
      random,
    };
  }

  #carryOut(run: RunRow, verdict: Verdict, failures: TestFailure[], at_ms: number): void {
    if (verdict.verdict === 'final') {
      this.#finish(run.run, verdict.outcome, verdict.reason, at_ms);
      return;
    }
    const failed_attempts = { ...run.failed_attempts };
    for (const failure of new Set(failures.map((one) => one.class)))
      failed_attempts[failure] = (failed_attempts[failure] ?? 0) + 1;
    const delay_ms = run.origin === 'demand' ? Math.min(verdict.delay_ms, DEMAND_RETRY_MS) : verdict.delay_ms;
    this.#options.disk.change(run.run, {
      state: 'open',
      overdue_at_ms: null,
      awaits_result: false,
      not_before_ms: at_ms + delay_ms,
      tests: verdict.tests,
      failed_attempts,
      failures,
    });
  }
}
