import type { Rule } from './rule-index.ts';
import type { RuleState, SubjectStates } from './state.ts';
import { type Change, end } from './step.ts';

/** An alert whose rule has had no value for so long is not waited for: a monthly check has had its turn. */
export const STALE_MS = 62 * 86_400_000;

/** What is left of a subject's alerts when `whyEnded` gives a reason in words for those that no value will end any more. */
export const endAlerts = (
  states: SubjectStates,
  whyEnded: (name: string, entry: RuleState) => string | null,
): { states: SubjectStates; changes: Change[] } => {
  const rules: SubjectStates['rules'] = {};
  const changes: Change[] = [];
  for (const [name, entry] of Object.entries(states.rules)) {
    const why = whyEnded(name, entry);
    const change = why === null ? null : end(entry, name, why);
    if (why === null) rules[name] = entry;
    if (change !== null) changes.push(change);
  }
  return changes.length === 0 && Object.keys(rules).length === Object.keys(states.rules).length
    ? { states, changes }
    : { states: { ...states, rules }, changes };
};

/** What is known of a subject besides its alerts. */
export interface Surroundings {
  name: string;
  /** It is gone: not registered, or not in the configuration. */
  gone: string | null;
  /** Of a server: that of any organization that uses it. */
  check_is_on: boolean;
  /** Why it is not measured any more what the rule looks at; null when it is. */
  unmeasured: (rule: Rule) => string | null;
  ruleOf: (name: string) => Rule | null;
  now_ms: number;
}

/** When it last had a value, or went into its state. */
const seenMs = ({ since_ms, recent }: RuleState): number => Math.max(since_ms, ...recent.map(({ time_ms }) => time_ms));

/** Why an alert ends without a value; null when it does not. */
export const whyEnded =
  ({ scheduled }: SubjectStates, { name, gone, check_is_on, unmeasured, ruleOf, now_ms }: Surroundings) =>
  (rule_name: string, entry: RuleState): string | null => {
    if (gone !== null) return gone;
    const rule = ruleOf(rule_name);
    if (rule === null) return `the rule ${rule_name} is not in force any more`;
    if (rule.print !== entry.print) return `the rule ${rule_name} was changed`;
    if (scheduled && !check_is_on) return `the check of ${name} is off`;
    return (
      unmeasured(rule) ?? (now_ms - seenMs(entry) > STALE_MS ? `no value for ${STALE_MS / 86_400_000} days` : null)
    );
  };
