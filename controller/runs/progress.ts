import type { TestPlan } from '../../broker/contract/messages.ts';

/** What happens to a run while it is not over, for live views. Times are RFC 3339 by the controller's clock. */
export type Progress =
  | { run: string; phase: 'waiting'; at: string; reason: string | null }
  | { run: string; phase: 'on-deck'; at: string; server: string }
  | { run: string; phase: 'starting' | 'running'; at: string; server: string; tests: TestPlan[] }
  | { run: string; phase: 'finished'; at: string }
  | { run: string; phase: 'final'; at: string };

export type ProgressListener = (progress: Progress) => void;

/** Hands what happens to runs to whoever watches, and remembers the last word on each run that is not over. */
export class ProgressBoard {
  readonly #last = new Map<string, Progress>();
  readonly #listeners = new Set<ProgressListener>();

  tell(progress: Progress): void {
    if (progress.phase === 'final') this.#last.delete(progress.run);
    else this.#last.set(progress.run, progress);
    for (const listener of [...this.#listeners]) listener(progress);
  }

  last(run: string): Progress | undefined {
    return this.#last.get(run);
  }

  /** Calls `listener` from now on, until the returned function is called. */
  watch(listener: ProgressListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
