import type { Clock } from '../../broker/clock.ts';
import { OVERDUE_MS } from '../../broker/contract/numbers.ts';
import type { Alerts } from '../alerts/alerts.ts';
import { type AlertOutcome, NOTHING_CHANGED } from '../alerts/write.ts';
import type { RetentionSettings } from '../config/settings.ts';
import type { Store } from '../store/store.ts';
import type { Settlement } from './settlement.ts';

/** How often the house is looked after. */
const LOOK_MS = 600_000;

/** So many runs, and as many raw results, are forgotten at a time: a few milliseconds. So it is with alerts that are seen to … */
const BATCH = 200;

/** … and the next ones after this, as long as there are more. */
const NEXT_BATCH_MS = 1000;

/** What runs have moved is kept for the longest month, the one before, and no more. */
const MOVED_AGE_MS = 62 * 86_400_000;

/** A suppression that has ended is kept this long: a clock that had jumped ahead may come back. */
const ENDED_AGE_MS = 86_400_000;

export interface HousekeepingOptions {
  retention: () => RetentionSettings;
  store: Store;
  settlement: Settlement;
  clock: Clock;
  /** Without it there are no alerts to see to. */
  alerts?: Pick<Alerts, 'tick'>;
  onAlerts?: (outcome: AlertOutcome) => void;
  onFatal: (error: Error) => void;
  /** Called when rows were added for InfluxDB. */
  onPoints: () => void;
}

/** Ends runs as `lost` whose result has not come for OVERDUE_MS after their grant, sees to alerts that only time changes, and forgets what is too old to be of use. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #cancel = () => {};

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** Looks at once, and then every ten minutes: also when it is called again. */
  start(): void {
    this.#cancel();
    const { store, settlement, alerts, clock, onFatal, onPoints, onAlerts } = this.#options;
    const now_ms = clock.wall();
    let more = false;
    try {
      for (const { run } of store.runs.awaited(now_ms - OVERDUE_MS)) settlement.end(run, 'lost', 'no-result', now_ms);
      const looked = alerts?.tick(now_ms) ?? { ...NOTHING_CHANGED, more: false };
      onAlerts?.(looked);
      store.moved.prune(now_ms - MOVED_AGE_MS);
      store.suppressions.prune(now_ms - ENDED_AGE_MS);
      more = this.#prune(now_ms) || looked.more;
    } catch (error) {
      onFatal(error as Error);
      return;
    }
    onPoints();
    this.#cancel = clock.after(more ? NEXT_BATCH_MS : LOOK_MS, () => this.start());
  }

  /** Whether there is more to forget. */
  #prune(now_ms: number): boolean {
    const { store, retention } = this.#options;
    const { runs_ms, raw_ms, raw_bytes } = retention();
    const gone = [
      store.runs.prune(now_ms - runs_ms, BATCH),
      store.raw.prune({ before_ms: now_ms - raw_ms, max_bytes: raw_bytes, limit: BATCH }),
    ];
    return gone.includes(BATCH);
  }

  stop(): void {
    this.#cancel();
  }
}
