import type { Clock } from '../../broker/clock.ts';
import { OVERDUE_MS } from '../../broker/contract/numbers.ts';
import type { Store } from '../store/store.ts';
import type { Settlement } from './settlement.ts';

/** How often overdue runs are looked at. */
const LOOK_MS = 600_000;

/** Ends runs as `lost` whose result has not come for OVERDUE_MS after their grant. */
export class OverdueRuns {
  readonly #options: { store: Store; settlement: Settlement; clock: Clock; onFatal: (error: Error) => void };
  #cancel = () => {};

  constructor(options: { store: Store; settlement: Settlement; clock: Clock; onFatal: (error: Error) => void }) {
    this.#options = options;
  }

  start(): void {
    const { store, settlement, clock, onFatal } = this.#options;
    const now_ms = clock.wall();
    try {
      for (const run of store.runs.awaited()) {
        if (now_ms - (run.granted_at_ms ?? now_ms) < OVERDUE_MS) continue;
        settlement.end(run.run, 'lost', 'no-result', now_ms);
      }
    } catch (error) {
      onFatal(error as Error);
      return;
    }
    this.#cancel = clock.after(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }
}
