import type { TestOutput, TestPlan } from '../../broker/contract/messages.ts';
import { type RunReading, readRun } from '../results/read-run.ts';
import { leaseMs } from '../slots/plan-length.ts';
import type { TimedMeasurement } from '../store/results.ts';
import type { Grant, RunRow } from '../store/runs.ts';
import { limitWarnings } from './limit-warnings.ts';

/** What a result says of its attempt. */
export interface Attempt extends RunReading {
  /** Its measurements, each with the time by the controller's clock at which it began. */
  timed: TimedMeasurement[];
  /** From the acceptance of the start to the end of the last test. */
  duration_s: number;
}

/** Nothing can have happened after the end of the lease: times beyond it are cut, or a device could date its points at will. */
const withinLease = (tests: readonly TestPlan[], outputs: readonly TestOutput[]): TestOutput[] => {
  const end_ms = leaseMs(tests);
  return outputs.map((output) => ({
    ...output,
    started_ms: Math.min(output.started_ms, end_ms),
    ended_ms: Math.min(output.ended_ms, end_ms),
  }));
};

/** Reads what the tests of a grant have printed. */
export const readAttempt = (run: RunRow, grant: Grant, outputs: readonly TestOutput[]): Attempt => {
  const inTime = withinLease(grant.tests, outputs);
  const reading = readRun(grant.tests, inTime);
  // The tests of a late result may be planned otherwise by now: what is not to be tried again stands in the plan.
  const limited = limitWarnings([...run.tests, ...run.plan], grant.tests, grant.server);
  return {
    ...reading,
    warnings: [...limited, ...reading.warnings],
    timed: reading.measurements.map(({ started_ms, ...measurement }) => ({
      measurement,
      time_ms: Math.round(grant.at_ms + started_ms),
    })),
    duration_s: Math.max(0, ...inTime.map(({ ended_ms }) => ended_ms)) / 1000,
  };
};
