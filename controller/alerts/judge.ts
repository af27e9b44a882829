import { HOST_KEY } from '../config/built-in-alerts.ts';
import type { AlertSettings } from '../config/settings.ts';
import { figure, figures, inRuns, span } from './words.ts';

/** `between`: not bad, and not yet back at `clear`. */
export type Verdict = 'breach' | 'between' | 'good';

/** What a rule makes of one value, with the threshold that came of it. */
export interface Judgement {
  verdict: Verdict;
  /** Of a drop. */
  median: number | null;
}

/** Null when the value says nothing: a drop without a median. */
export const judge = (
  { condition }: Pick<AlertSettings, 'condition'>,
  value: number,
  median: number | null,
): Judgement | null => {
  if (condition.kind === 'drop') {
    if (median === null || median <= 0) return null;
    const share = (percent: number) => median * (1 - percent / 100);
    return { verdict: under(value, share(condition.percent), share(condition.clear)), median };
  }
  const { kind, threshold, clear } = condition;
  // Above is below with the sign turned.
  const verdict = kind === 'below' ? under(value, threshold, clear) : under(-value, -threshold, -clear);
  return { verdict, median: null };
};

const under = (value: number, threshold: number, clear: number): Verdict => {
  if (value < threshold) return 'breach';
  return value >= clear ? 'good' : 'between';
};

/** A value in words. `cause` is why a run did not succeed. */
export interface Told {
  value: number;
  verdict: Verdict;
  median: number | null;
  cause: string | null;
  /** How many of the last values are bad. */
  count: number;
}

type Judged = Pick<AlertSettings, 'condition' | 'metric' | 'of'>;

/** What the rule says of the value: `18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs`. */
export const verdictInWords = (rule: Judged, told: Told): string =>
  rule.metric === HOST_KEY ? ofHostKey(told) : inWords(rule, told);

const ofHostKey = ({ verdict }: Told): string =>
  verdict === 'breach' ? 'its SSH server shows another host key than the one that is pinned' : 'it was measured again';

const inWords = (rule: Judged, told: Told): string =>
  rule.metric === 'run.success' && rule.condition.kind === 'below'
    ? ofRun(told, rule.of)
    : `${ofValue(rule, told)}${told.verdict === 'breach' ? inRuns(told.count, rule.of) : ''}`;

const ofRun = ({ verdict, cause, count }: Told, of: number): string => {
  if (verdict !== 'breach') return 'the run succeeded';
  if (of === 1) return cause === null ? 'the run failed' : `the run failed: ${cause}`;
  return `${count} of ${of} runs failed${cause === null ? '' : `, the last one: ${cause}`}`;
};

const ofValue = ({ condition, metric }: Judged, { value, verdict, median }: Told): string => {
  if (condition.kind === 'drop') return ofDrop(condition, metric, { value, verdict, median: median ?? value });
  const { kind, threshold, clear } = condition;
  const [shown, limit] = figures(metric, value, verdict === 'breach' ? threshold : clear);
  if (verdict === 'breach') return `${shown} is ${kind} ${limit}`;
  if (verdict === 'good') return `${shown} is at ${kind === 'below' ? 'least' : 'most'} ${limit}`;
  return `${shown} is not ${kind} ${figure(metric, threshold)}, and not yet back at ${limit}`;
};

const ofDrop = (
  { percent, clear, over_ms }: { percent: number; clear: number; over_ms: number },
  metric: string,
  { value, verdict, median }: { value: number; verdict: Verdict; median: number },
): string => {
  const change = 100 * (1 - value / median);
  const side = `${Math.round(Math.abs(change))}% ${change < 0 ? 'over' : 'under'}`;
  const measured = `${figure(metric, value)} is ${side} ${figure(metric, median)}, the median of ${span(over_ms)}`;
  if (verdict === 'between') return `${measured}, and not yet back within ${clear}%`;
  return verdict === 'breach' ? `${measured}, more than ${percent}%` : measured;
};

/** The rule itself in words: `tcp.download.bits_per_second below 20 Mbit/s in 2 of 3 runs, clear at 25 Mbit/s`. */
export const ruleInWords = (rule: AlertSettings): string => {
  const { condition, metric, breaches, of } = rule;
  if (metric === HOST_KEY) return 'a device whose SSH server shows another host key';
  if (rule.subject === 'server') return `a server that ${breaches} devices in a row can't reach`;
  if (condition.kind === 'drop') {
    const { percent, clear, over_ms } = condition;
    const cleared = clear === percent ? '' : `, clear within ${clear}%`;
    return `${metric} more than ${percent}% under the median of ${span(over_ms)}${inRuns(breaches, of)}${cleared}`;
  }
  const { kind, threshold, clear } = condition;
  const cleared = clear === threshold ? '' : `, clear at ${figure(metric, clear)}`;
  return `${metric} ${kind} ${figure(metric, threshold)}${inRuns(breaches, of)}${cleared}`;
};
