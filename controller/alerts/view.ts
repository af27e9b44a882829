import type { AlertSettings } from '../config/settings.ts';
import { ruleInWords } from './judge.ts';
import type { Subject } from './notice.ts';
import type { RuleState } from './state.ts';
import type { ExplainedRule, StoredAlert } from './stored-alert.ts';

/** Whether people know of a server that it is down. */
export type IsDown = (server: string) => boolean;

/** Why nobody is told yet; empty when nothing holds it. What was held because of a server that is up again waits for a value. */
const holdInWords = ({ hold }: RuleState, isDown: IsDown): string => {
  if (hold === null) return '';
  if (hold.why === 'retest')
    return `; a confirming run ${hold.run === null ? 'is awaited' : `is awaited: ${hold.run}`}`;
  if (hold.until_ms !== null) return `; ${hold.server} may be down`;
  return isDown(hold.server)
    ? `; nobody is told, as ${hold.server} is down`
    : `; ${hold.server} was down, the next value decides`;
};

/** An alert as people see it, and as they were told of it. `rule` is null when it is not in force any more. */
export const storedAlert = (
  subject: Subject,
  name: string,
  entry: RuleState,
  rule: AlertSettings | null,
  isDown: IsDown,
): StoredAlert => ({
  rule: name,
  severity: entry.alert?.severity ?? rule?.severity ?? null,
  metric: entry.alert?.metric ?? rule?.metric ?? null,
  subject,
  state: entry.state,
  since_ms: entry.since_ms,
  reason: entry.reason + holdInWords(entry, isDown),
  alert: entry.alert?.id ?? null,
  firing_since_ms: entry.alert?.firing_since_ms ?? null,
  hold: entry.hold,
  recent: entry.recent,
});

/** A rule that is about a subject as people see it, with why it is in its state; `quiet` says it of a rule without an entry. */
export const explainedRule = (
  subject: Subject,
  rule: AlertSettings,
  entry: RuleState | null,
  { last_values, quiet, isDown }: Pick<ExplainedRule, 'last_values'> & { quiet: () => string; isDown: IsDown },
): ExplainedRule => {
  const more = { rule_in_words: ruleInWords(rule), last_values };
  if (entry !== null) return { ...storedAlert(subject, rule.name, entry, rule, isDown), ...more };
  const { name, severity, metric } = rule;
  const nothing = { since_ms: null, alert: null, firing_since_ms: null, hold: null, recent: [] };
  return { rule: name, severity, metric, subject, state: 'ok', reason: quiet(), ...nothing, ...more };
};
