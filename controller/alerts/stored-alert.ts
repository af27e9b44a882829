import type { Severity, Subject } from './notice.ts';
import type { Hold, RecentValue } from './state.ts';

/** An alert that is pending, firing or resolved, as it stands in the store. Times are milliseconds since 1970. */
export interface StoredAlert {
  rule: string;
  /** Null for a rule that is not in force any more. */
  severity: Severity | null;
  metric: string | null;
  subject: Subject;
  state: 'pending' | 'firing' | 'resolved';
  since_ms: number;
  reason: string;
  /** The alert's id; null while it is pending. */
  alert: string | null;
  firing_since_ms: number | null;
  hold: Hold | null;
  /** The last values that counted, oldest first. */
  recent: RecentValue[];
}

/** One rule that is about a device, whatever its state: what `perfleet alerts explain` shows. */
export interface ExplainedRule extends Omit<StoredAlert, 'state' | 'since_ms'> {
  state: 'ok' | StoredAlert['state'];
  /** Null for `ok`. */
  since_ms: number | null;
  /** The rule in words: `tcp.download.bits_per_second below 20 Mbit/s in 2 of 3 runs, clear at 25 Mbit/s`. */
  rule_in_words: string;
  /** The last values of its metric in the store, newest first, whether or not they counted. */
  last_values: { value: number; time_ms: number; run: string; server: string | null }[];
}

/** One alert that a rule would have raised on stored history. `resolved_ms` is null when it would still fire. */
export interface ReplayedAlert {
  subject: Subject;
  firing_ms: number;
  firing_reason: string;
  run: string | null;
  resolved_ms: number | null;
  resolved_reason: string | null;
}
