import { z } from 'zod';
import { Severity } from './notice.ts';

/**
 * One value that a rule looked at. `breach` is what it was found to be when it came: the median that a drop is measured by
 * is another one later.
 */
export const RecentValue = z.object({
  value: z.number(),
  time_ms: z.number(),
  run: z.string(),
  server: z.string().nullable(),
  breach: z.boolean(),
});
export type RecentValue = z.infer<typeof RecentValue>;

/** Why an alert that would fire is `pending` for now. */
export const Hold = z.discriminatedUnion('why', [
  /** One more run is to confirm it; `run` is that run, once it is ordered. It fires at `until_ms` at the latest. */
  z.object({ why: z.literal('retest'), run: z.string().nullable(), until_ms: z.number() }),
  /** It may be the server's fault. `until_ms` is null when it is: the next value of the device decides. */
  z.object({ why: z.literal('server'), server: z.string(), until_ms: z.number().nullable() }),
]);
export type Hold = z.infer<typeof Hold>;

/** An alert that people were told of. */
export const ToldAlert = z.object({
  /** The same from `firing` to `resolved`, and never used again. */
  id: z.string(),
  firing_since_ms: z.number(),
  severity: Severity,
  metric: z.string(),
  /** The receivers that were told that it fires: they are told of its end. */
  told: z.array(z.string()),
});
export type ToldAlert = z.infer<typeof ToldAlert>;

/** What is remembered of one rule for one subject. A rule without an entry is `ok`. */
export const RuleState = z.object({
  /** Of the rule as it was: a rule that means something else starts anew. */
  print: z.string(),
  state: z.enum(['pending', 'firing', 'resolved']),
  /** Since when it is in this state. */
  since_ms: z.number(),
  /** The verdict in words. */
  reason: z.string(),
  /** The last values, oldest first: as many as the rule looks at, without those before the first breach. Of `resolved`: the one that ended it. */
  recent: z.array(RecentValue),
  /** Of a drop: the median that the newest was measured by, for when there are too few values for a new one. */
  median: z.number().nullable(),
  /** Of `firing` and `resolved`. */
  alert: ToldAlert.nullable(),
  /** Of `pending`. */
  hold: Hold.nullable(),
  /** Of `pending`: a confirming run was asked for, whatever holds it now. One bad value more, or none, confirms it. */
  retested: z.boolean().default(false),
});
export type RuleState = z.infer<typeof RuleState>;

/** All that is remembered of one device or server: one row of the store. */
export const SubjectStates = z.object({
  /** The newest grant that changed something here. Older ones say nothing any more. */
  token: z.number(),
  /** What that grant has said, by run, test and direction: nothing counts twice. */
  seen: z.array(z.string()),
  /** When, by the controller's clock. */
  at_ms: z.number(),
  /** Whether its check was on then; of a server, that of any organization that uses it. */
  scheduled: z.boolean(),
  /** Of a server: the devices that could not reach it since one last did, the first few. */
  suspects: z.array(z.string()),
  /** Of a server: devices that could not reach it while others did, and have not since. The fault is theirs, until they reach it. */
  disproved: z.array(z.string()).default([]),
  rules: z.record(z.string(), RuleState),
  /** How many of its alerts have fired so far. */
  fired: z.number().default(0),
});
export type SubjectStates = z.infer<typeof SubjectStates>;

/** The value that decided last. */
export const newestOf = (
  recent: readonly RecentValue[],
): { value: number | null; server: string | null; run: string | null } =>
  recent.at(-1) ?? { value: null, server: null, run: null };

/** Of a subject that nothing is known of. */
export const NO_STATES: SubjectStates = {
  token: 0,
  seen: [],
  at_ms: 0,
  scheduled: false,
  suspects: [],
  disproved: [],
  rules: {},
  fired: 0,
};
