import { z } from 'zod';

/** How much an alert matters; receivers choose by it whom they wake. */
export const Severity = z.enum(['info', 'warning', 'critical']);
export type Severity = z.infer<typeof Severity>;

/** Whom an alert is about: a device, or a server with all who are measured against it. */
export const Subject = z.object({ kind: z.enum(['device', 'server']), name: z.string() });
export type Subject = z.infer<typeof Subject>;

/**
 * One change of an alert's state that people are told of, as the command line, the HTTP API and webhooks show it. It is delivered at least
 * once: `id` is the same in each repetition. `alert` is the same from an alert's `firing` to its `resolved`.
 */
export const AlertNotice = z.object({
  id: z.string(),
  alert: z.string(),
  rule: z.string(),
  severity: Severity,
  state: z.enum(['firing', 'resolved']),
  subject: Subject,
  /** Null for a server that organizations share. */
  organization: z.string().nullable(),
  /** That of the last value; of an alert about a server, the server itself. */
  server: z.string().nullable(),
  metric: z.string(),
  /** The last value, in the metric's own unit; null when the end of the alert has none. */
  value: z.number().nullable(),
  /** The verdict in words: `18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs`. */
  reason: z.string(),
  /** The run whose result brought the change; null when none did. */
  run: z.string().nullable(),
  /** RFC 3339, by the controller's clock: when the alert began to fire, and when this change was. */
  firing_since: z.iso.datetime(),
  at: z.iso.datetime(),
});
export type AlertNotice = z.infer<typeof AlertNotice>;
