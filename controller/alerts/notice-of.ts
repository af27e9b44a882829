import type { AlertNotice, Subject } from './notice.ts';
import type { Change } from './step.ts';

/** What receivers get of a change. Its id is that of the alert and the state: the same change has the same id whenever it is told. */
export const noticeOf = (
  { kind, rule, alert, value, server, run, reason }: Change,
  subject: Subject,
  organization: string | null,
  at_ms: number,
): AlertNotice => ({
  id: `${alert.id}.${kind}`,
  alert: alert.id,
  rule,
  severity: alert.severity,
  state: kind,
  subject,
  organization,
  server: subject.kind === 'server' ? subject.name : server,
  metric: alert.metric,
  value,
  reason,
  run,
  firing_since: new Date(alert.firing_since_ms).toISOString(),
  at: new Date(at_ms).toISOString(),
});
