import { type Judgement, verdictInWords } from './judge.ts';
import type { Rule } from './rule-index.ts';
import { type Hold, newestOf, type RecentValue, type RuleState, type ToldAlert } from './state.ts';
import { move } from './transitions.ts';
import { inRuns } from './words.ts';

/** A confirming run that has not come by then is not waited for any longer; nor is what would tell whether a server is at fault. */
export const HOLD_MS = 30 * 60_000;

/** One value of a device as the rules see it. */
export interface Sample {
  value: number;
  time_ms: number;
  run: string;
  server: string | null;
  /** Why a run did not succeed; null for everything else. */
  cause: string | null;
  /** The server that may be at fault: `down` when it is known to be. */
  suspect: { server: string; down: boolean } | null;
}

/** Something that people are to be told of. */
export interface Change {
  kind: 'firing' | 'resolved';
  rule: string;
  alert: ToldAlert;
  value: number | null;
  server: string | null;
  run: string | null;
  reason: string;
}

/** What became of a rule for its subject: `entry` is null when it is `ok`. */
export interface Step {
  entry: RuleState | null;
  change: Change | null;
  /** It waits for a confirming run since this step. */
  retest: boolean;
}

/** When, and for whom: what an alert's id is made of. */
export interface Moment {
  subject: string;
  token: number;
  at_ms: number;
  /** How many alerts of the subject have fired before: one write may make the same rule fire twice. */
  fired: number;
}

const breachesIn = (recent: readonly RecentValue[]): number => recent.filter(({ breach }) => breach).length;

/** The last `of`, without those before the first breach: they decide nothing. The newest stays. */
const windowOf = (recent: readonly RecentValue[], of: number): RecentValue[] => {
  const last = recent.slice(-of);
  const first = last.findIndex(({ breach }) => breach);
  return first === -1 ? last.slice(-1) : last.slice(first);
};

/** What there is to tell of an alert that fires; null of any other. */
export const firingChange = (rule: string, { state, alert, reason, recent }: RuleState): Change | null => {
  if (state !== 'firing' || alert === null) return null;
  const { value, server, run } = newestOf(recent);
  return { kind: 'firing', rule, alert, value, server, run, reason };
};

/** Into `firing`: the only place that makes an id. */
export const fire = (
  entry: RuleState,
  rule: Rule,
  { subject, token, at_ms, fired: before }: Moment,
): Step & { entry: RuleState } => {
  const id = `${rule.name}.${subject}.${token}-${Math.round(at_ms)}-${before + 1}`;
  const { severity, metric, notify } = rule;
  const alert: ToldAlert = { id, firing_since_ms: at_ms, severity, metric, told: notify };
  const fired = { ...entry, state: move(entry.state, 'firing'), since_ms: at_ms, alert, hold: null, retested: false };
  return { entry: fired, change: firingChange(rule.name, fired), retest: false };
};

/** Out of `firing`: the only place that ends an id. Earlier values count for no further alert. */
const resolve = (entry: RuleState, rule: string, alert: ToldAlert, at_ms: number): Step => {
  const { value, server, run } = newestOf(entry.recent);
  const { reason } = entry;
  return {
    entry: { ...entry, state: move(entry.state, 'resolved'), since_ms: at_ms, recent: entry.recent.slice(-1) },
    change: { kind: 'resolved', rule, alert, value, server, run, reason },
    retest: false,
  };
};

const quiet = (entry: RuleState | null): Step => ({ entry, change: null, retest: false });

/** Enough values are bad: it fires, unless something holds it. A hold lasts no longer because it is found again. */
const enough = (entry: RuleState, rule: Rule, suspect: Sample['suspect'], moment: Moment): Step => {
  const { hold } = entry;
  if (suspect !== null) {
    const { server, down } = suspect;
    const until_ms = down ? null : Math.min(hold?.until_ms ?? Number.POSITIVE_INFINITY, moment.at_ms + HOLD_MS);
    if (until_ms === null || until_ms > moment.at_ms) {
      return quiet({ ...entry, hold: { why: 'server', server, until_ms } });
    }
  }
  if (!rule.retest || entry.retested) return fire(entry, rule, moment);
  const asked: Hold = { why: 'retest', run: null, until_ms: moment.at_ms + HOLD_MS };
  return { entry: { ...entry, hold: asked, retested: true }, change: null, retest: true };
};

/** A bad value of an alert that does not fire. */
const worse = (entry: RuleState, known: RuleState | null, rule: Rule, suspect: Sample['suspect'], moment: Moment) => {
  const isNew = known?.state !== 'pending';
  const state = isNew ? move(known?.state ?? 'ok', 'pending') : known.state;
  const since_ms = isNew ? moment.at_ms : known.since_ms;
  const pending: RuleState = { ...entry, state, since_ms, alert: null };
  return breachesIn(entry.recent) < rule.breaches
    ? quiet({ ...pending, hold: null, retested: false })
    : enough(pending, rule, suspect, moment);
};

/** A value that is not bad, of an alert that does not fire. When a confirming run was asked for, it refutes the alert. */
const better = (entry: RuleState, known: RuleState): Step => {
  if (!known.retested && breachesIn(entry.recent) > 0) return quiet({ ...entry, hold: null });
  move(known.state, 'ok');
  return quiet(null);
};

/** One more value of an alert that fires. */
const whileFiring = (entry: RuleState, rule: Rule, verdict: Judgement['verdict'], alert: ToldAlert, at_ms: number) => {
  const count = breachesIn(entry.recent);
  if (verdict === 'good' && count < rule.breaches) return resolve(entry, rule.name, alert, at_ms);
  const still = verdict === 'good' ? `; before that, bad${inRuns(count, rule.of)}` : '';
  return quiet({ ...entry, reason: entry.reason + still });
};

/**
 * One value and one rule: what the rule remembers from now on, and what people are to be told. `known` is null when it is `ok`. The
 * caller has seen to it that the value is newer than all before.
 */
export const step = (known: RuleState | null, rule: Rule, sample: Sample, judged: Judgement, moment: Moment): Step => {
  const { value, time_ms, run, server, cause, suspect } = sample;
  const { verdict, median } = judged;
  const breach = verdict === 'breach';
  if (!breach && known?.state !== 'firing' && known?.state !== 'pending') return quiet(known);
  const recent = windowOf([...(known?.recent ?? []), { value, time_ms, run, server, breach }], rule.of);
  const reason = verdictInWords(rule, { value, verdict, median, cause, count: breachesIn(recent) });
  const entry: RuleState = {
    ...(known ?? { state: 'pending', since_ms: moment.at_ms, alert: null, hold: null, retested: false }),
    print: rule.print,
    reason,
    recent,
    median,
  };
  if (known?.state === 'firing' && known.alert !== null) {
    return whileFiring(entry, rule, verdict, known.alert, moment.at_ms);
  }
  return breach || known === null ? worse(entry, known, rule, suspect, moment) : better(entry, known);
};

/** What was awaited will not come, or has said that the server is not at fault: it fires, or asks for a confirming run first, once. */
export const release = (entry: RuleState, rule: Rule, moment: Moment): Step =>
  enough({ ...entry, hold: null }, rule, null, moment);

/** Ends whatever it is, as no value will any more: `why` says it in words. */
export const end = (entry: RuleState, name: string, why: string): Change | null => {
  if (entry.state !== 'firing' || entry.alert === null) return null;
  move(entry.state, 'resolved');
  return { kind: 'resolved', rule: name, alert: entry.alert, value: null, server: null, run: null, reason: why };
};
