import type { TestPlan } from '../../broker/contract/messages.ts';
import { AUTO_BITRATE_SHARE } from '../../broker/contract/numbers.ts';
import { directionsOf } from './direction-sums.ts';
import type { FailureClass, Measurement } from './measurement.ts';
import type { TestFailure } from './read-run.ts';

/** A run after an attempt. */
export interface RunSoFar {
  /** The tests of the whole run, as planned at first. */
  plans: TestPlan[];
  /** Of all attempts. */
  measurements: Measurement[];
  /** Of this attempt only. */
  failures: TestFailure[];
  /** How many earlier attempts had a failure of the class; one attempt can count for several. */
  earlier: Partial<Record<FailureClass, number>>;
  /** How often `unreachable` is tried again. */
  retries: number;
  /** The wait before the first retry after `unreachable` or `link-lost`. */
  backoff_ms: number;
  now_ms: number;
  /** On the same clock as `now_ms`: no attempt begins at or after it. */
  window_end_ms: number;
  /** 0 to 1. */
  random: () => number;
}

/** How a run ends. `reason` is the failure class that decided, or `server-busy`. */
export interface FinalVerdict {
  verdict: 'final';
  outcome: 'success' | 'failed' | 'missed';
  reason: FailureClass | 'server-busy' | null;
  zeros: Measurement[];
}

/** What becomes of the run. The `reason` of a retry is the failure class that decided. */
export type Verdict = { verdict: 'retry'; tests: TestPlan[]; delay_ms: number; reason: FailureClass } | FinalVerdict;

interface RetryRule {
  /** The wait before the first retry, null for that of the check; it doubles with each … */
  first_ms: number | null;
  /** … up to this. */
  max_ms: number;
  /** How often an attempt may follow. */
  times: (retries: number) => number;
  /** When the retries end the test measured nothing at all, and that is a result: 0 bit/s. */
  zero: boolean;
}

/** The classes that are worth another attempt; the others end a test at once, without a zero. */
const RETRY_RULES: Partial<Record<FailureClass, RetryRule>> = {
  unreachable: { first_ms: null, max_ms: 3_600_000, times: (retries) => retries, zero: true },
  'link-lost': { first_ms: null, max_ms: 3_600_000, times: () => 1, zero: true },
  busy: { first_ms: 5_000, max_ms: 300_000, times: () => Number.POSITIVE_INFINITY, zero: false },
};

const ruleOf = (cause: FailureClass | undefined): RetryRule | undefined => RETRY_RULES[cause ?? 'local'];

/** Which class names a failed run: one that earns a zero first, since alert rules fire on that. */
const RANK: readonly FailureClass[] = ['unreachable', 'link-lost', 'auth', 'policy', 'local', 'malformed', 'busy'];

/** The wait before another attempt because of this class, between half and the whole of its backoff; null when there is none. */
const delayOf = (cause: FailureClass, run: RunSoFar): number | null => {
  const rule = RETRY_RULES[cause];
  const tried = run.earlier[cause] ?? 0;
  if (rule === undefined || tried >= rule.times(run.retries)) return null;
  const backoff_ms = Math.min(rule.max_ms, (rule.first_ms ?? run.backoff_ms) * 2 ** tried);
  const delay_ms = Math.round(backoff_ms * (0.5 + run.random() / 2));
  return run.now_ms + delay_ms < run.window_end_ms ? delay_ms : null;
};

/** For both directions the slower TCP figure counts, so that neither is drowned. */
const withKnownBitrate = (plan: TestPlan, measurements: Measurement[]): TestPlan => {
  if (plan.bitrate !== 'auto') return plan;
  const rates = directionsOf(plan.direction).flatMap((wanted) => {
    const figure = measurements.findLast(({ protocol, direction }) => protocol === 'tcp' && direction === wanted);
    return figure === undefined ? [] : [figure.bits_per_second];
  });
  if (rates.length === 0) return plan;
  return { ...plan, bitrate: Math.max(1, Math.round(AUTO_BITRATE_SHARE * Math.min(...rates))) };
};

/** A test that is not done. */
interface Pending {
  plan: TestPlan;
  /** The directions without a measurement. */
  missing: Measurement['direction'][];
  /** What it failed of in this attempt; undefined when it was given up earlier. */
  cause: FailureClass | undefined;
}

const zerosOf = ({ plan: { test, protocol }, missing }: Pending): Measurement[] =>
  missing.map((direction) => ({ test, protocol, direction, bits_per_second: 0, bytes: 0, seconds: 0 }));

/**
 * The tests without a measurement. A bidirectional test with one of two has it of damaged output and is done, unless it failed: then nothing
 * got through the other way.
 */
const unmeasured = ({ plans, measurements, failures, earlier }: RunSoFar): Pending[] => {
  const measured = new Set(measurements.map(({ test, direction }) => `${direction} ${test}`));
  const causes = new Map(failures.map((failure) => [failure.test, failure.class]));
  const mayBeGivenUp = RANK.some((cause) => RETRY_RULES[cause] === undefined && (earlier[cause] ?? 0) > 0);
  return plans.flatMap((plan) => {
    const directions = directionsOf(plan.direction);
    const missing = directions.filter((direction) => !measured.has(`${direction} ${plan.test}`));
    const cause = causes.get(plan.test);
    const isUntouched = missing.length === directions.length;
    const isPending = missing.length > 0 && (isUntouched || cause !== undefined || mayBeGivenUp);
    return isPending ? [{ plan, missing, cause }] : [];
  });
};

/** How a run ends that is not tried again. */
export const decideEnd = (run: RunSoFar): FinalVerdict => {
  const pending = unmeasured(run);
  if (pending.length === 0) return { verdict: 'final', outcome: 'success', reason: null, zeros: [] };
  const current = new Set(pending.map(({ cause }) => cause));
  // A pending test without a failure was given up earlier; what those attempts died of is in the counts.
  const givenUpEarlier = current.has(undefined);
  const ended = (cause: FailureClass): boolean =>
    givenUpEarlier && RETRY_RULES[cause] === undefined && (run.earlier[cause] ?? 0) > 0;
  const reason =
    RANK.find((cause) => cause !== 'busy' && (current.has(cause) || ended(cause))) ??
    (givenUpEarlier ? 'local' : 'server-busy');
  if (reason === 'server-busy') return { verdict: 'final', outcome: 'missed', reason, zeros: [] };
  const zeros = pending.flatMap((one) => (ruleOf(one.cause)?.zero === true ? zerosOf(one) : []));
  return { verdict: 'final', outcome: 'failed', reason, zeros };
};

/**
 * Decides after an attempt what becomes of the run. Only tests without a measurement matter, and those that failed in one of two
 * directions, which are tried again as a whole.
 *
 * - A test whose class has no rule above is given up at once. It is not part of later attempts, and the run can no longer succeed.
 * - If any other test may be tried again, all of the others are, also those whose own retries have ended: the way is made anyway. The longest
 *   of the waits counts, and its class is the reason.
 * - At the end `unreachable` and `link-lost` of the last attempt earn zeros, each for the directions of its own test that have no measurement,
 *   whatever else failed beside them.
 * - The run is `missed` when `busy` is all that was in the way: a busy server says nothing about the link, so there is never a zero.
 */
export const decideRun = (run: RunSoFar): Verdict => {
  const pending = unmeasured(run);
  const current = new Set(pending.map(({ cause }) => cause));
  const [longest] = RANK.filter((cause) => current.has(cause))
    .flatMap((reason) => {
      const delay_ms = delayOf(reason, run);
      return delay_ms === null ? [] : [{ reason, delay_ms }];
    })
    .sort((one, other) => other.delay_ms - one.delay_ms);
  if (longest === undefined) return decideEnd(run);
  const tests = pending.filter(({ cause }) => ruleOf(cause) !== undefined);
  return { verdict: 'retry', tests: tests.map(({ plan }) => withKnownBitrate(plan, run.measurements)), ...longest };
};
