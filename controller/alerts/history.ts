import { HOST_KEY } from '../config/built-in-alerts.ts';
import type { AlertHistory, Ended, Measured } from '../store/alert-history.ts';
import { causeOf } from './device.ts';
import { whyQuiet } from './quiet.ts';
import { reachedBy } from './reached.ts';
import { type PastValue, replayDevice, replayServer } from './replay.ts';
import { metricOf, type Rule } from './rule-index.ts';
import type { ExplainedRule, ReplayedAlert } from './stored-alert.ts';

/** So many values of a rule are shown, unless it looks at more. */
const SHOWN = 5;

const ofRun = ({ outcome, reason, ...run }: Ended): PastValue =>
  outcome === 'success'
    ? { ...run, value: 1, zero: false, cause: null }
    : { ...run, value: 0, zero: false, cause: causeOf(outcome, reason) };

/** Of a test that was never measured only the throughput counts. */
const ofMeasurement =
  (field: NonNullable<Rule['field']>) =>
  ({ measurement, zero, ...run }: Measured): PastValue[] => {
    const value = zero && field !== 'bits_per_second' ? undefined : measurement[field];
    return value === undefined ? [] : [{ ...run, value, zero, cause: null }];
  };

/** What is stored, in the eyes of a rule. */
export class History {
  readonly #store: AlertHistory;

  constructor(store: AlertHistory) {
    this.#store = store;
  }

  /** The last values of a rule's metric, newest first, and why it is quiet if nothing is known of it. */
  past(device: string, rule: Rule): Pick<ExplainedRule, 'last_values'> & { quiet: () => string } {
    const last_values = this.#last(device, rule);
    const measured = (from_ms: number) => this.#values(device, rule, from_ms).filter(({ zero }) => !zero);
    return { last_values, quiet: () => whyQuiet(rule, last_values, measured) };
  }

  #last(device: string, rule: Rule): ExplainedRule['last_values'] {
    return this.#values(device, rule, 0, Math.max(SHOWN, rule.of))
      .map(({ value, time_ms, run, server }) => ({ value, time_ms, run, server }))
      .reverse();
  }

  replayDevice(rule: Rule, device: string, since_ms: number): ReplayedAlert[] {
    const over_ms = rule.condition.kind === 'drop' ? rule.condition.over_ms : 0;
    return replayDevice(rule, device, this.#values(device, rule, since_ms - over_ms), since_ms);
  }

  replayServer(rule: Rule, server: string, since_ms: number): ReplayedAlert[] {
    const attempts = this.#store.attempted(server, since_ms).flatMap(({ failures, measured, ...attempt }) => {
      const reached = reachedBy(failures, measured);
      return reached === null ? [] : [{ ...attempt, server, reached, at_ms: attempt.time_ms }];
    });
    return replayServer(rule, server, attempts);
  }

  /** Of host keys nothing is kept. */
  #values(device: string, { field, source, metric }: Rule, since_ms: number, limit?: number): PastValue[] {
    if (metric === HOST_KEY) return [];
    if (field === null) return this.#store.ended(device, since_ms, limit).map(ofRun);
    return this.#store.measured(device, metricOf(source), since_ms, limit).flatMap(ofMeasurement(field));
  }
}
