import { judge } from './judge.ts';
import { medianOf } from './median.ts';
import type { Rule } from './rule-index.ts';
import type { ExplainedRule } from './stored-alert.ts';

/** The values that a drop is measured by, in any order: `from_ms` is how far back they are needed. */
export type Measured = (from_ms: number) => readonly { value: number; time_ms: number }[];

/** Medians as they were, of the values in the time before. */
const mediansOf = ({ baseline }: Rule, oldest_ms: number, measured: Measured): ((time_ms: number) => number | null) => {
  if (baseline === null) return () => null;
  const { over_ms } = baseline;
  const values = measured(oldest_ms - over_ms);
  const within = (end_ms: number) => values.filter(({ time_ms }) => time_ms >= end_ms - over_ms && time_ms < end_ms);
  return (time_ms) => medianOf(within(time_ms).map(({ value }) => value));
};

/**
 * Why nothing is known of a rule for a device, in words. Its values in the store, newest first, are judged as they would be now: bad ones among
 * those that it looks at came before it was in force, or a confirming run refuted them.
 */
export const whyQuiet = (rule: Rule, stored: ExplainedRule['last_values'], measured: Measured): string => {
  const { of, retest } = rule;
  const { server: only } = rule.where;
  const last = stored.filter(({ server }) => only === null || server === only).slice(0, of);
  const oldest = last.at(-1);
  if (oldest === undefined) return only === null ? 'no value yet' : `no value with ${only} among the last`;
  const median = mediansOf(rule, oldest.time_ms, measured);
  const judged = last.map(({ value, time_ms }) => judge(rule, value, median(time_ms)));
  if (judged.every((one) => one === null)) return 'too few values for a median above 0';
  if (judged.some((one) => one?.verdict === 'breach'))
    return `the bad ones among the last values came before the rule was in force${retest ? ', or a confirming run refuted them' : ''}`;
  return of === 1 ? 'the last value is not bad' : `none of the last ${of} values is bad`;
};
