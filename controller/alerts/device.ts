import { HOST_KEY } from '../config/built-in-alerts.ts';
import type { Outcome } from '../run-record.ts';
import { freshness } from './freshness.ts';
import { judge } from './judge.ts';
import { mayBeServersFault } from './reached.ts';
import type { Rule } from './rule-index.ts';
import { newestOf, type RuleState, type SubjectStates } from './state.ts';
import { type Change, type Moment, release, type Sample, type Step, step } from './step.ts';
import type { Baseline } from './usual.ts';
import type { AlertWrite, Retest } from './write.ts';

/** What a device's rules need to know beside the write itself. */
export interface DeviceContext {
  /** The rules about the device and the write's server, by what they look at. */
  rulesOf: (source: string) => readonly Rule[];
  /** The order of the write: its token or, when it never had a slot, the newest there is. */
  token: number;
  /** Whether the device's check is on. */
  scheduled: boolean;
  /** Whether the run that ends had only some of the tests of the check: it neither succeeds nor fails as a whole. */
  partial: boolean;
  /** Whether the write's server may be at fault for what could not be measured; null when it is not. */
  suspect: Sample['suspect'];
  /** The median of the device's values in the time before; null when there are too few. */
  medianOf: (baseline: Baseline, before_ms: number) => number | null;
  /** Whether the store has a result of a newer grant of the device. Asked only when something would change. */
  isLate: () => boolean;
  /** A rule in force, by its name. */
  ruleOf: (name: string) => Rule | null;
}

/** What a write makes of a device. */
export interface DeviceVerdict {
  reason: 'late' | 'repeated' | 'unchanged' | 'evaluated';
  /** The same object when there is nothing new to remember. */
  states: SubjectStates;
  changes: Change[];
  retests: Retest[];
}

/** What a rule may look at: a measurement, or the end of the run. */
interface Seen {
  key: string;
  source: string;
  valueOf: (rule: Rule) => number | undefined;
  time_ms: number;
  cause: string | null;
  blamable: boolean;
}

/** 1, 0, or null of a run that was never tried, which says nothing about the network. */
const successOf = (outcome: Outcome): 0 | 1 | null => {
  if (outcome === 'success') return 1;
  return outcome === 'failed' || outcome === 'lost' ? 0 : null;
};

/** Why a run failed, in words. */
export const causeOf = (outcome: Outcome, reason: string | null): string =>
  outcome === 'lost' ? 'nothing was heard of it' : (reason ?? outcome);

const measuredIn = (run: string, list: AlertWrite['measurements'], blamable: boolean): Seen[] =>
  list.map(({ measurement, time_ms }) => ({
    key: `${run}/${measurement.test}/${measurement.direction}`,
    source: `${measurement.protocol}.${measurement.direction}`,
    valueOf: ({ field }) => (field === null ? undefined : measurement[field]),
    time_ms,
    cause: null,
    blamable,
  }));

/** A test that was never measured has a throughput, 0, and nothing else: 0 s of it and 0 packets are no measurements. */
const zerosIn = (run: string, list: AlertWrite['measurements']): Seen[] =>
  measuredIn(run, list, true).map((seen) => ({
    ...seen,
    valueOf: ({ field }) => (field === 'bits_per_second' ? 0 : undefined),
  }));

const endOf = ({ run, end }: AlertWrite, partial: boolean): Seen[] => {
  if (end === null || partial) return [];
  const success = successOf(end.outcome);
  if (success === null) return [];
  const cause = success === 1 ? null : causeOf(end.outcome, end.reason);
  const blamable = end.outcome === 'failed' && mayBeServersFault(end.reason);
  return [{ key: `${run}/end`, source: 'run', valueOf: () => success, time_ms: end.time_ms, cause, blamable }];
};

/** A device that was measured is one that people trust, or its agent reached it: a key that it showed before does not matter any more. */
const hostKeyIn = ({ run, measurements, end, at_ms }: AlertWrite, { rules }: SubjectStates): Seen[] => {
  const isChanged = end?.reason === 'host-key-changed';
  const isKnown = Object.values(rules).some(({ alert }) => alert?.metric === HOST_KEY);
  if (!isChanged && (!isKnown || measurements.length === 0)) return [];
  const value = isChanged ? 0 : 1;
  return [
    { key: `${run}/host-key`, source: 'ssh', valueOf: () => value, time_ms: at_ms, cause: null, blamable: false },
  ];
};

const seenIn = (write: AlertWrite, states: SubjectStates, partial: boolean): Seen[] => [
  ...measuredIn(write.run, write.measurements, false).toSorted((a, b) => a.time_ms - b.time_ms),
  ...zerosIn(write.run, write.end?.zeros ?? []),
  ...endOf(write, partial),
  ...hostKeyIn(write, states),
];

/** What all alerts of one write share. */
type WriteMoment = Omit<Moment, 'fired'>;

/** The states of a device while a write is worked through, one rule at a time. */
class Working {
  readonly rules: Record<string, RuleState>;
  readonly changes: Change[] = [];
  readonly retests: Retest[] = [];
  readonly device: string;
  fired: number;
  isChanged = false;

  constructor({ rules, fired }: SubjectStates, device: string) {
    this.rules = { ...rules };
    this.fired = fired;
    this.device = device;
  }

  take(rule: Rule, { entry, change, retest }: Step): void {
    if (entry === (this.rules[rule.name] ?? null)) return;
    this.isChanged = true;
    if (change !== null) this.changes.push(change);
    if (change?.kind === 'firing') this.fired++;
    if (entry === null) {
      delete this.rules[rule.name];
      return;
    }
    this.rules[rule.name] = entry;
    if (!retest) return;
    const { server, run } = newestOf(entry.recent);
    this.retests.push({ rule: rule.name, metric: rule.metric, device: this.device, server, run });
  }
}

const takeValue = (
  working: Working,
  { run, server }: AlertWrite,
  seen: Seen,
  rule: Rule,
  context: DeviceContext,
  moment: WriteMoment,
): void => {
  const value = seen.valueOf(rule);
  if (value === undefined) return;
  const stored = working.rules[rule.name];
  const known = stored?.print === rule.print ? stored : null;
  const { baseline } = rule;
  const median = baseline === null ? null : (context.medianOf(baseline, seen.time_ms) ?? known?.median ?? null);
  const judged = judge(rule, value, median);
  // Nearly all values: fine, and nothing was wrong before.
  if (judged === null || (known === null && judged.verdict !== 'breach')) return;
  const suspect = seen.blamable ? context.suspect : null;
  const sample: Sample = { value, time_ms: seen.time_ms, run, server, cause: seen.cause, suspect };
  working.take(rule, step(known, rule, sample, judged, { ...moment, fired: working.fired }));
};

/** The confirming run is over, and had no value of the metric: what was found before stands. */
const endRetests = (
  working: Working,
  write: AlertWrite,
  ruleOf: (name: string) => Rule | null,
  moment: WriteMoment,
) => {
  for (const [name, entry] of Object.entries(working.rules)) {
    const rule = ruleOf(name);
    if (rule !== null && entry.hold?.why === 'retest' && entry.hold.run === write.run) {
      working.take(rule, release(entry, rule, { ...moment, fired: working.fired }));
    }
  }
};

/** What the rules make of the values of a write, as far as these are news. */
const takeValues = (states: SubjectStates, write: AlertWrite, context: DeviceContext, moment: WriteMoment) => {
  const values = seenIn(write, states, context.partial);
  const working = new Working(states, write.device);
  const keys = values.map(({ key }) => key);
  const fresh = freshness(states, context.token, keys);
  if (fresh.reason !== 'new') return { reason: fresh.reason, working };
  for (const seen of values) {
    if (!fresh.isFresh(seen.key)) continue;
    for (const rule of context.rulesOf(seen.source)) takeValue(working, write, seen, rule, context, moment);
  }
  if (!working.isChanged) return { reason: 'unchanged', working } as const;
  if (context.isLate()) return { reason: 'late', working: new Working(states, write.device) } as const;
  return { reason: 'evaluated', working, seen: fresh.seen } as const;
};

/**
 * All rules about a device, and one write: what is remembered from now on, who is to be told, and what is to be confirmed. Nearly all
 * writes find all well and leave nothing to remember.
 */
export const evaluateDevice = (states: SubjectStates, write: AlertWrite, context: DeviceContext): DeviceVerdict => {
  const moment: WriteMoment = { subject: write.device, token: context.token, at_ms: write.at_ms };
  const { working, ...taken } = takeValues(states, write, context, moment);
  if (write.end !== null) endRetests(working, write, context.ruleOf, moment);
  const { rules, fired, changes, retests, isChanged } = working;
  if (!isChanged) return { reason: taken.reason, states, changes, retests };
  if (taken.reason !== 'evaluated')
    return { reason: taken.reason, states: { ...states, rules, fired }, changes, retests };
  const { seen } = taken;
  const { scheduled, token } = context;
  const known = { ...states, token, seen, at_ms: write.at_ms, scheduled, rules, fired };
  return { reason: 'evaluated', states: known, changes, retests };
};

/** Alerts of a device that are not held any longer: `isOver` says which holds. The same states when there is none. */
export const releaseHolds = (
  states: SubjectStates,
  device: string,
  ruleOf: (name: string) => Rule | null,
  isOver: (hold: NonNullable<RuleState['hold']>) => boolean,
  at_ms: number,
): Omit<DeviceVerdict, 'reason'> => {
  const working = new Working(states, device);
  for (const [name, entry] of Object.entries(states.rules)) {
    const rule = ruleOf(name);
    if (rule === null || entry.hold === null || !isOver(entry.hold)) continue;
    working.take(rule, release(entry, rule, { subject: device, token: states.token, at_ms, fired: working.fired }));
  }
  const { rules, fired, changes, retests, isChanged } = working;
  return { states: isChanged ? { ...states, rules, fired } : states, changes, retests };
};
