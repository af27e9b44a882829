import type { Measurement } from '../results/measurement.ts';
import type { Outcome } from '../run-record.ts';

/** What one transaction of the store says that rules may be about: a result, the end of a run, or both. */
export interface AlertWrite {
  run: string;
  device: string;
  /** Of the attempt; null when it never had one. */
  server: string | null;
  /** The attempt's fencing token, which orders all that is known of a device. Null when it never had a slot: now. */
  token: number | null;
  /** When it is written, by the controller's clock. */
  at_ms: number;
  measurements: { measurement: Measurement; time_ms: number }[];
  /** What the attempt says of its server: null when nothing, such as when its device never tried, or never had a slot there. */
  reached: boolean | null;
  /** The end of the run, when it is one. `time_ms` is that of its point; `zeros` are those of its tests that were never measured. */
  end: {
    outcome: Outcome;
    reason: string | null;
    time_ms: number;
    zeros: { measurement: Measurement; time_ms: number }[];
    /** The tests of a confirming run: when the check has others, its end says nothing of the check. Null or absent of any other run. */
    only?: readonly string[] | null;
  } | null;
}

/** An alert that fires once one more run has confirmed it: to be ordered now, of this metric, against this server. */
export interface Retest {
  rule: string;
  metric: string;
  device: string;
  server: string | null;
  /** The run whose value would have made it fire. */
  run: string | null;
}

/** What a write has brought about. */
export interface AlertOutcome {
  /** How many notices were added for receivers. */
  notices: number;
  retests: Retest[];
}

export const NOTHING_CHANGED: AlertOutcome = { notices: 0, retests: [] };

/** Several together. */
export const merged = (outcomes: readonly AlertOutcome[]): AlertOutcome => ({
  notices: outcomes.reduce((sum, { notices }) => sum + notices, 0),
  retests: outcomes.flatMap(({ retests }) => retests),
});
