import type { TestPlan } from '../../broker/contract/messages.ts';
import { measurementPoint, type Point, runPoint } from '../influx/points.ts';
import type { Verdict } from '../results/decide-run.ts';
import type { Measurement } from '../results/measurement.ts';
import type { TestFailure } from '../results/read-run.ts';
import type { Outcome } from '../run-record.ts';
import type { Ending, TimedMeasurement } from '../store/results.ts';
import type { Retry, RunRow } from '../store/runs.ts';

/** Somebody, or an alert, waits for a run that was asked for: it is tried again this soon at the latest. */
const DEMAND_RETRY_MS = 5000;

/** What a result changes about its run. */
export type RunChange = { kind: 'final'; ending: Ending } | { kind: 'retry'; retry: Retry };

/** How a run ends, and the zeros that it earns. */
export interface RunEnd {
  outcome: Outcome;
  reason: string | null;
  zeros: Measurement[];
}

/** When an attempt was over, and how long it took. */
export interface AttemptEnd {
  at_ms: number;
  duration_s: number;
}

/** The run waits for another attempt, and remembers what this one failed of: each class once. */
export const retryOf = (
  run: Pick<RunRow, 'failed_attempts' | 'origin'>,
  verdict: Extract<Verdict, { verdict: 'retry' }>,
  failures: readonly TestFailure[],
  at_ms: number,
): Retry => {
  const failed_attempts = { ...run.failed_attempts };
  for (const failure of new Set(failures.map((one) => one.class))) {
    failed_attempts[failure] = (failed_attempts[failure] ?? 0) + 1;
  }
  const delay_ms = run.origin !== 'schedule' ? Math.min(verdict.delay_ms, DEMAND_RETRY_MS) : verdict.delay_ms;
  return { not_before_ms: at_ms + delay_ms, tests: verdict.tests, failed_attempts };
};

/** When a test would have begun after the grant: so that a zero has a time of its own in a series, and no measurement's. */
const plannedStartMs = (plan: readonly TestPlan[], test: string): number => {
  const index = plan.findIndex((one) => one.test === test);
  return plan.slice(0, index).reduce((sum, one) => sum + 1000 * (one.duration_s + one.omit_s), 0) + index;
};

/** The points of measurements; none where nobody knows the server. */
export const timedPoints = (
  { device, organization }: Pick<RunRow, 'device' | 'organization'>,
  server: string | null,
  measurements: readonly TimedMeasurement[],
): Point[] =>
  server === null
    ? []
    : measurements.map(({ measurement, time_ms }) =>
        measurementPoint({ device, organization, server }, measurement, time_ms),
      );

/** The end of a run, without its points. */
export const endingOf = (
  run: RunRow,
  { outcome, reason, zeros }: RunEnd,
  { at_ms, duration_s }: AttemptEnd,
): Omit<Ending, 'points'> => {
  const time_ms = run.granted_at_ms ?? at_ms;
  const timedZeros = zeros.map((measurement) => ({
    measurement,
    time_ms: time_ms + plannedStartMs(run.plan, measurement.test),
  }));
  const server = run.granted_server ?? run.server;
  return { outcome, reason, server, finished_at_ms: at_ms, duration_s, zeros: timedZeros };
};

/** The points of a run's end: its zeros', and its own. */
export const endPoints = (run: RunRow, ending: Omit<Ending, 'points'>): Point[] => {
  const { zeros, server, finished_at_ms, ...end } = ending;
  const queued_s = Math.max(0, (run.first_granted_at_ms ?? finished_at_ms) - run.requested_at_ms) / 1000;
  const { device, organization, granted_via: via, attempts } = run;
  const record = { run: run.run, device, organization, server, via, queued_s, attempts, ...end };
  return [...timedPoints(run, server, zeros), runPoint(record, run.granted_at_ms ?? finished_at_ms)];
};
