import type { AlertSettings, Settings } from '../config/settings.ts';
import type { Store } from '../store/store.ts';
import type { ExplainedRule, ReplayedAlert, StoredAlert } from './stored-alert.ts';
import { type AlertOutcome, type AlertWrite, NOTHING_CHANGED } from './write.ts';

export interface AlertsOptions {
  settings: () => Settings;
  store: Store;
}

/**
 * All about alerts: what rules make of each write, and what people ask about it. Decisions are made by the pure parts beside it; this
 * reads and writes what they need, always in the transaction of whoever calls.
 */
export class Alerts {
  readonly options: AlertsOptions;

  constructor(options: AlertsOptions) {
    this.options = options;
  }

  /** Takes the rules of the settings into force. To be called at the start, and after each change of the settings. */
  configure(_now_ms: number): AlertOutcome {
    return NOTHING_CHANGED;
  }

  /** What a write means. To be called in the transaction that stores it, once for each. */
  evaluate(_write: AlertWrite): AlertOutcome {
    return NOTHING_CHANGED;
  }

  /** What only time brings about: alerts fire whose confirming run did not come. To be called every few minutes. */
  tick(_now_ms: number): AlertOutcome {
    return NOTHING_CHANGED;
  }

  /** A confirming run was ordered. Its value decides, or its end when it has none. */
  noteRetest(_retest: { rule: string; device: string }, _run: string): void {}

  /** A device is removed: its alerts end. To be called in the transaction that removes it. */
  removeDevice(_device: string, _now_ms: number): AlertOutcome {
    return NOTHING_CHANGED;
  }

  /** What is pending or firing; with `all`, also what has been resolved and nothing came after it. */
  list(_filter: { all?: boolean } = {}): StoredAlert[] {
    return [];
  }

  /** Every rule that is about the device. */
  explain(_device: string): ExplainedRule[] {
    return [];
  }

  /**
   * When a rule would have fired on what is stored since then, one subject at a time: each step is short, so that a long history need not
   * stop everything else. Inhibition and confirming runs are left out.
   */
  *replay(_rule: AlertSettings, _since_ms: number): Generator<ReplayedAlert[]> {
    yield [];
  }
}
