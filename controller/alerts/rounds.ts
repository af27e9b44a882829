import type { AlertStates, OpenRow } from '../store/alert-states.ts';
import type { Subject } from './notice.ts';

/** So many subjects are looked at at a time: some 15 ms. */
export const PAGE = 200;

/** What was resolved is looked at so often: nobody waits for it. */
const ALL_EVERY_MS = 86_400_000;

/** All that is pending or firing, a page at a time, each as it is when it is asked for; with `all`, also what was resolved. */
export function* pagesOf(states: AlertStates, { all = false }: { all?: boolean } = {}): Generator<OpenRow[]> {
  let after: Subject | null = null;
  do {
    const rows: OpenRow[] = states.open({ all, after, limit: PAGE });
    yield rows;
    after = rows[PAGE - 1] ?? null;
  } while (after !== null);
}

/** Goes through all that is pending or firing, round after round; in the first one, and once a day, also through what was resolved. */
export class Rounds {
  readonly #states: AlertStates;
  #after: Subject | null = null;
  #all = true;
  #all_from_ms = 0;

  constructor(states: AlertStates) {
    this.#states = states;
  }

  /** The next page; after the last one of a round the first one of another. `more`: the round is not over. */
  next(now_ms: number): { rows: OpenRow[]; more: boolean } {
    if (this.#after === null) {
      this.#all = this.#all_from_ms <= now_ms;
      if (this.#all) this.#all_from_ms = now_ms + ALL_EVERY_MS;
    }
    const rows = this.#states.open({ all: this.#all, after: this.#after, limit: PAGE });
    this.#after = rows[PAGE - 1] ?? null;
    return { rows, more: this.#after !== null };
  }
}
