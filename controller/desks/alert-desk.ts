import type { Clock } from '../../broker/clock.ts';
import { ruleInWords } from '../alerts/judge.ts';
import type { AlertReading } from '../alerts/reading.ts';
import type { ExplainedRule, ReplayedAlert, StoredAlert } from '../alerts/stored-alert.ts';
import type { AlertView, ExplainedRuleView, ReplayOrder, ReplayView } from '../api/alert-views.ts';
import { refusal } from '../api/refusal.ts';
import type { AlertFilter, AlertList, AlertService, Answer } from '../api/service.ts';
import { parseSince } from '../api/since.ts';
import { parseAlertRule } from '../config/load-settings.ts';
import { problemInLine } from '../config/problem.ts';
import type { Settings } from '../config/settings.ts';
import { unknownDevice } from './unknown.ts';

export interface AlertDeskOptions {
  settings: () => Settings;
  alerts: { reading: Pick<AlertReading, 'list' | 'explain' | 'replay'> };
  clock: Pick<Clock, 'wall'>;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : timeOf(ms));

const common = ({
  rule,
  severity,
  metric,
  subject,
  reason,
  alert,
  firing_since_ms,
  hold,
}: ExplainedRule | StoredAlert) => ({
  ...{ rule, severity, metric, subject, reason, alert },
  firing_since: timeOrNull(firing_since_ms),
  hold: hold?.why ?? null,
});

const alertView = (alert: StoredAlert): AlertView => ({
  ...common(alert),
  state: alert.state,
  since: timeOf(alert.since_ms),
});

const explainedView = (rule: ExplainedRule): ExplainedRuleView => ({
  ...common(rule),
  state: rule.state,
  since: timeOrNull(rule.since_ms),
  rule_in_words: rule.rule_in_words,
  last_values: rule.last_values.map(({ time_ms, ...value }) => ({ ...value, time: timeOf(time_ms) })),
});

const replayedView = ({
  subject,
  firing_ms,
  firing_reason,
  run,
  resolved_ms,
  resolved_reason,
}: ReplayedAlert): ReplayView['alerts'][number] => ({
  ...{ subject, firing: timeOf(firing_ms), reason: firing_reason, run },
  ...{ resolved: timeOrNull(resolved_ms), resolved_reason },
});

/** Whatever else the controller has to do comes first. */
const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Alerts as the HTTP API offers them. */
export class AlertDesk implements AlertService {
  readonly #options: AlertDeskOptions;

  constructor(options: AlertDeskOptions) {
    this.#options = options;
  }

  /** Some at a time, as `replay` does it. */
  async list({ all, limit }: AlertFilter): Promise<AlertList> {
    const found: StoredAlert[] = [];
    for (const some of this.#options.alerts.reading.list({ all })) {
      found.push(...some);
      if (found.length > limit) break;
      await oneTurn();
    }
    return { alerts: found.slice(0, limit).map(alertView), more: found.length > limit };
  }

  explain(device: string): Answer<ExplainedRuleView[]> {
    const rules = this.#options.alerts.reading.explain(device);
    return rules === null ? unknownDevice(device) : { ok: true, value: rules.map(explainedView) };
  }

  /** One device at a time, with a turn of the event loop in between; what nobody waits for any more is given up. */
  async replay({ rule: text, since }: ReplayOrder, isGone: () => boolean): Promise<Answer<ReplayView>> {
    const { settings, alerts, clock } = this.#options;
    const since_ms = parseSince(since, clock.wall());
    const read = parseAlertRule(text, settings());
    if (!read.ok) return refusal('bad-request', 'the rule was refused', read.problems.map(problemInLine));
    if (since_ms === null)
      return refusal(
        'bad-request',
        'since: expected a time such as 2026-11-22T02:00:00Z, or how far back, such as 24h',
      );
    const { rule } = read;
    const found: ReplayedAlert[] = [];
    for (const some of alerts.reading.replay(rule, since_ms)) {
      found.push(...some);
      await oneTurn();
      if (isGone()) break;
    }
    const inOrder = found.toSorted((a, b) => a.firing_ms - b.firing_ms).map(replayedView);
    const words = { rule: rule.name, rule_in_words: ruleInWords(rule), since: timeOf(since_ms) };
    return { ok: true, value: { ...words, alerts: inOrder } };
  }
}
