import { z } from 'zod';

/** A value that a rule looked at, in the metric's own unit. `time` is RFC 3339. */
const AlertValueView = z.object({
  value: z.number(),
  time: z.string(),
  run: z.string(),
  server: z.string().nullable(),
});

const SubjectView = z.object({ kind: z.enum(['device', 'server']), name: z.string() });

/**
 * An alert that is pending, firing or resolved. `severity` and `metric` are null for a rule that is not in force any more, `alert` (its id) and
 * `firing_since` while it is pending; `hold` says why nobody is told yet. Times are RFC 3339.
 */
export const AlertView = z.object({
  rule: z.string(),
  severity: z.enum(['info', 'warning', 'critical']).nullable(),
  metric: z.string().nullable(),
  subject: SubjectView,
  state: z.enum(['pending', 'firing', 'resolved']),
  since: z.string(),
  reason: z.string(),
  alert: z.string().nullable(),
  firing_since: z.string().nullable(),
  hold: z.enum(['retest', 'server']).nullable(),
});
export type AlertView = z.infer<typeof AlertView>;

/** A rule that is about a device, whatever its state; the last values of its metric are newest first. `since` is null for `ok`. */
export const ExplainedRuleView = AlertView.extend({
  state: z.enum(['ok', 'pending', 'firing', 'resolved']),
  since: z.string().nullable(),
  rule_in_words: z.string(),
  last_values: z.array(AlertValueView),
});
export type ExplainedRuleView = z.infer<typeof ExplainedRuleView>;

/** A rule, as YAML or JSON text as under `alerts`, and since when it is to be tried: RFC 3339, or how far back. */
export const ReplayOrder = z.strictObject({ rule: z.string(), since: z.string() });
export type ReplayOrder = z.infer<typeof ReplayOrder>;

/** The alerts that a rule would have raised, oldest first. `resolved` is null for one that would still fire. Times are RFC 3339. */
export const ReplayView = z.object({
  rule: z.string(),
  rule_in_words: z.string(),
  since: z.string(),
  alerts: z.array(
    z.object({
      subject: SubjectView,
      firing: z.string(),
      reason: z.string(),
      run: z.string().nullable(),
      resolved: z.string().nullable(),
      resolved_reason: z.string().nullable(),
    }),
  ),
});
export type ReplayView = z.infer<typeof ReplayView>;
