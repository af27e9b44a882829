import { z } from 'zod';
import type { BrokerCounters } from '../../broker/admission.ts';
import { Id, TestOutput } from '../../broker/contract/messages.ts';
import { PROBE_VERDICTS } from '../drivers/probe.ts';
import { RunRecord } from '../run-record.ts';
import { SCOPES } from '../schedule/suppression.ts';

/*
 * The JSON of the HTTP API and of the commands' `--json`: the same thing looks the same everywhere.
 */

/** A device as lists show it. `last_run` is RFC 3339. */
export const DeviceView = z.object({
  device: z.string(),
  organization: z.string(),
  tags: z.array(z.string()),
  uplink_group: z.string().nullable(),
  via: z.enum(['agent', 'ssh']),
  online: z.boolean(),
  agent: z.string().nullable(),
  iperf3: z.string().nullable(),
  last_run: z.string().nullable(),
});
export type DeviceView = z.infer<typeof DeviceView>;

/** One device. `moved_this_month`: bytes that its runs have moved, estimates for those whose result has not come. `monthly_budget`: null for none. */
export const DeviceDetails = DeviceView.extend({
  moved_this_month: z.number(),
  monthly_budget: z.number().nullable(),
});
export type DeviceDetails = z.infer<typeof DeviceDetails>;

/** What `device add` needs; the id of the organization must be in the configuration. */
export const NewDevice = z.strictObject({
  device: Id,
  organization: Id.default('default'),
  tags: z.array(Id).default([]),
  uplink_group: Id.nullable().default(null),
});
export type NewDevice = z.infer<typeof NewDevice>;

/** The device's credentials: shown once, stored only as a hash. `uci` are the lines to paste on an OpenWrt router. */
export const Credentials = z.object({
  device: z.string(),
  username: z.string(),
  password: z.string(),
  uci: z.array(z.string()),
});
export type Credentials = z.infer<typeof Credentials>;

/** A server and who uses it now. `queued` counts the runs that wait and may use it. */
export const ServerView = z.object({
  server: z.string(),
  host: z.string(),
  port: z.int(),
  host_group: z.string().nullable(),
  device: z.string().nullable(),
  run: z.string().nullable(),
  queued: z.int(),
  state: z.enum(['idle', 'leased', 'resting', 'busy-elsewhere', 'suppressed', 'maintenance']),
});
export type ServerView = z.infer<typeof ServerView>;

/**
 * Whether an iperf3 server answers. `in-use`: a run of ours has it, or may have it, so it was not probed; `resting`: another controller's run
 * may have it; `not-in-charge`: the controller may not ask now. `round_trip_ms` only when iperf3 said something. `version` is null: an iperf3
 * server tells its version to nobody who runs no test. `message` is for people.
 */
export const ServerCheck = z.object({
  server: z.string().nullable(),
  host: z.string(),
  port: z.int(),
  verdict: z.enum([...PROBE_VERDICTS, 'in-use', 'resting', 'not-in-charge']),
  round_trip_ms: z.number().nullable(),
  version: z.null(),
  device: z.string().nullable(),
  run: z.string().nullable(),
  message: z.string(),
});
export type ServerCheck = z.infer<typeof ServerCheck>;

/** A run that somebody asks for now, with the tests of the device's check. `server` null: the first that gets free. */
export const RunOrder = z.strictObject({ device: Id, server: Id.nullable().default(null) });
export type RunOrder = z.infer<typeof RunOrder>;

/** What happens to a run that is not over; the last one, `final`, carries the record. */
export const ProgressView = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('waiting'), run: z.string(), at: z.string(), reason: z.string().nullable() }),
  z.object({ phase: z.literal('on-deck'), run: z.string(), at: z.string(), server: z.string() }),
  z.object({
    phase: z.enum(['starting', 'running']),
    run: z.string(),
    at: z.string(),
    server: z.string(),
    tests: z.array(z.object({ test: z.string(), duration_s: z.number(), omit_s: z.number() })),
  }),
  z.object({ phase: z.literal('finished'), run: z.string(), at: z.string() }),
  z.object({ phase: z.literal('final'), run: z.string(), at: z.string(), record: RunRecord }),
]);
export type ProgressView = z.infer<typeof ProgressView>;

/** What the built-in broker counted since the start; what each means stands with BrokerCounters. */
const BrokerView = z.object({
  connections_accepted: z.int(),
  connections_refused: z.int(),
  connections_timed_out: z.int(),
  connections_oversized: z.int(),
  publishes_refused: z.int(),
  subscriptions_refused: z.int(),
  deliveries_dropped: z.int(),
}) satisfies z.ZodType<BrokerCounters>;

/** What is suppressed: `name` is null for the fleet, `until` for what lasts until it is lifted. Times are RFC 3339. */
export const SuppressionView = z.object({
  scope: z.enum(SCOPES),
  name: z.string().nullable(),
  until: z.string().nullable(),
  reason: z.string().nullable(),
  since: z.string(),
});
export type SuppressionView = z.infer<typeof SuppressionView>;

/** What came of a suppression: how many runs were stopped, and what looks odd about it. */
export const Suppressed = z.object({
  suppression: SuppressionView,
  stopped: z.int(),
  warnings: z.array(z.string()),
});
export type Suppressed = z.infer<typeof Suppressed>;

/** The suppressions that were lifted. */
export const Resumed = z.object({ resumed: z.array(SuppressionView) });
export type Resumed = z.infer<typeof Resumed>;

/** How a receiver of alerts is doing; what each means stands with DeliveryStatus. `last_success` is RFC 3339. */
export const ReceiverView = z.object({
  receiver: z.string(),
  kind: z.enum(['webhook', 'email', 'alertmanager', 'mqtt']),
  waiting: z.int(),
  set_aside: z.int(),
  dropped: z.int(),
  last_error: z.string().nullable(),
  last_refusal: z.string().nullable(),
  last_success: z.string().nullable(),
});
export type ReceiverView = z.infer<typeof ReceiverView>;

/** What came of a test notice: whether the receiver took it, and what it said. */
export const ReceiverTest = z.object({
  receiver: z.string(),
  id: z.string(),
  delivered: z.boolean(),
  answer: z.string(),
});
export type ReceiverTest = z.infer<typeof ReceiverTest>;

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

/** How the controller is doing. `broker` is null with an external one, `influx` without InfluxDB. */
export const StatusView = z.object({
  version: z.string(),
  in_charge: z.boolean(),
  broker_connected: z.boolean(),
  devices: z.int(),
  devices_online: z.int(),
  runs_open: z.int(),
  suppressions: z.int(),
  messages_dropped: z.int(),
  broker: BrokerView.nullable(),
  influx: z.object({ waiting: z.int(), rejected: z.int(), last_error: z.string().nullable() }).nullable(),
  receivers: z.array(ReceiverView),
});
export type StatusView = z.infer<typeof StatusView>;

/** Every error of the API: what went wrong, and what to do. */
export const Problem = z.object({
  error: z.enum([
    'bad-request',
    'unauthorized',
    'not-found',
    'conflict',
    'too-large',
    'internal',
    'unavailable',
    'store',
  ]),
  message: z.string(),
  problems: z.array(z.string()).default([]),
});
export type Problem = z.infer<typeof Problem>;

/**
 * What the tests of a run printed, as the agent sent it: one entry for each attempt whose result came, oldest first. An old one has been
 * dropped.
 */
export const RawView = z.object({
  run: z.string(),
  attempts: z.array(z.object({ token: z.int(), tests: z.array(TestOutput) })),
});
export type RawView = z.infer<typeof RawView>;
