import type { Clock } from '../../broker/clock.ts';
import { OVERDUE_MS } from '../../broker/contract/numbers.ts';
import type { Alerts } from '../alerts/alerts.ts';
import type { AlertOutcome } from '../alerts/write.ts';
import type { Store } from '../store/store.ts';
import type { Settlement } from './settlement.ts';

/** How often the house is looked after. */
const LOOK_MS = 600_000;

/** iperf3's raw output is kept this long … */
const RAW_AGE_MS = 30 * 86_400_000;

/** … and up to this size, compressed. */
const RAW_BYTES = 1 << 30;

/** What runs have moved is kept for the longest month, the one before, and no more. */
const MOVED_AGE_MS = 62 * 86_400_000;

/** A suppression that has ended is kept this long: a clock that had jumped ahead may come back. */
const ENDED_AGE_MS = 86_400_000;

export interface HousekeepingOptions {
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

  start(): void {
    const { store, settlement, alerts, clock, onFatal, onPoints, onAlerts } = this.#options;
    const now_ms = clock.wall();
    try {
      for (const { run } of store.runs.awaited(now_ms - OVERDUE_MS)) settlement.end(run, 'lost', 'no-result', now_ms);
      if (alerts !== undefined) onAlerts?.(alerts.tick(now_ms));
      store.moved.prune(now_ms - MOVED_AGE_MS);
      store.suppressions.prune(now_ms - ENDED_AGE_MS);
      store.raw.prune({ before_ms: now_ms - RAW_AGE_MS, max_bytes: RAW_BYTES });
    } catch (error) {
      onFatal(error as Error);
      return;
    }
    onPoints();
    this.#cancel = clock.after(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }
}
