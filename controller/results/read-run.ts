import type { TestOutput, TestPlan } from '../../broker/contract/messages.ts';
import { busyWarning, isAtLimit, type TestSystem } from './busy-device.ts';
import { failure } from './failure-table.ts';
import { readIperf3Text } from './iperf3-documents.ts';
import type { Failure, Measurement } from './measurement.ts';
import { addedUp, movedBytes } from './moved-bytes.ts';
import { readTest } from './read-test.ts';

/** A measurement and when its test began, in milliseconds from the acceptance of the start. */
export type TimedMeasurement = Measurement & { started_ms: number };

/** The failure of one planned test. */
export type TestFailure = Failure & { test: string };

/** What the outputs of a run come to: each planned test has its measurements or one failure, or half of them and one failure. */
export interface RunReading {
  measurements: TimedMeasurement[];
  failures: TestFailure[];
  warnings: string[];
  /** Of each planned test whose agent says it. */
  system: TestSystem[];
  /** What all its tests have moved over the device's link, both ways: also those that failed midway, or that nobody planned. */
  moved_bytes: number;
}

/** The TCP tests whose figures an automatic bitrate is taken from: those before it that measure its direction. */
export const sourcesOf = (plan: TestPlan, plans: TestPlan[]): string[] =>
  plans
    .slice(0, plans.indexOf(plan))
    .filter(({ protocol }) => protocol === 'tcp')
    .filter(({ direction }) => [direction, plan.direction].includes('bidir') || direction === plan.direction)
    .map(({ test }) => test);

const ofMissing = (plan: TestPlan, plans: TestPlan[], failures: TestFailure[]): Failure => {
  if (plan.bitrate !== 'auto') return failure('local', 'the agent did not run it');
  const sources = sourcesOf(plan, plans);
  const shared = failures.findLast(({ test }) => sources.includes(test));
  return shared ?? failure('malformed', 'no TCP figure to derive its bitrate from');
};

/**
 * Reads the outputs of one attempt at `plans`. A test with an automatic bitrate that was not run shares the failure of its TCP test. What was
 * never planned, or comes twice, is dropped with a warning.
 */
export const readRun = (plans: TestPlan[], outputs: TestOutput[]): RunReading => {
  const run: RunReading = { measurements: [], failures: [], warnings: [], system: [], moved_bytes: 0 };
  const texts = new Map(outputs.map((output) => [output, readIperf3Text(output.stdout)]));
  run.moved_bytes = addedUp([...texts.values()].map(({ output }) => (output === null ? 0 : movedBytes(output))));
  const byTest = new Map<string, TestOutput>();
  for (const output of outputs) {
    if (!plans.some(({ test }) => test === output.test)) run.warnings.push(`${output.test}: not planned, dropped`);
    else if (byTest.has(output.test)) run.warnings.push(`${output.test}: reported twice, the second was dropped`);
    else byTest.set(output.test, output);
  }
  for (const plan of plans) {
    const { test } = plan;
    const output = byTest.get(test);
    if (output === undefined) {
      run.failures.push({ ...ofMissing(plan, plans, run.failures), test });
      continue;
    }
    const { started_ms, ended_ms, system } = output;
    const reading = readTest({ ...output, elapsed_ms: ended_ms - started_ms }, plan, texts.get(output));
    run.warnings.push(...reading.warnings.map((warning) => `${test}: ${warning}`));
    run.measurements.push(...reading.measurements.map((numbers) => ({ ...numbers, started_ms })));
    if (!reading.ok) run.failures.push({ ...reading.failure, test });
    if (system != null) run.system.push({ test, ...system });
  }
  const measured = new Set(run.measurements.map(({ test }) => test));
  run.warnings.push(...run.system.filter((one) => measured.has(one.test) && isAtLimit(one)).map(busyWarning));
  return run;
};
