import type { RunRow } from '../../../controller/store/runs.ts';
import type { Break } from './broken-law.ts';

/** An organization's nights, worked out by other means than the product's: starts after `from` and up to `to`. */
export type NightsBetween = (from: number, to: number) => number[];

export interface Expected {
  organization: string;
  /** Null for a check that is not enabled. */
  nights: NightsBetween | null;
  window_ms: number;
  devices: readonly string[];
}

/** Laws about the runs of one controller's store: planned once, recorded once, nobody forgotten. */
export class RecordLaws {
  readonly #break: Break;
  readonly #ended = new Map<string, string>();
  /** `run/token` of which the agent said that it finished, and whose result no store has yet. */
  readonly #finished = new Map<string, string>();
  #first_look: number | null = null;
  #last_look = 0;

  constructor(broken: Break) {
    this.#break = broken;
  }

  /** A night was looked for, by this wall clock, and all of it is on disk. */
  looked(wall_ms: number): void {
    this.#first_look ??= wall_ms;
    this.#last_look = Math.max(this.#last_look, wall_ms);
  }

  ended(run: string, outcome: string): void {
    const before = this.#ended.get(run);
    if (before !== undefined) this.#break('one record a run', `${run} is ${before}, and ${outcome}`);
    this.#ended.set(run, outcome);
  }

  finished(device: string, run: string, token: number): void {
    this.#finished.set(`${run}/${token}`, device);
  }

  /** The result is on disk, or the agent was told to forget the run. */
  settled(run: string, token: number | null): void {
    if (token !== null) this.#finished.delete(`${run}/${token}`);
    else for (const key of this.#finished.keys()) if (key.startsWith(`${run}/`)) this.#finished.delete(key);
  }

  /** What the device kept is gone, and nobody can help it. */
  poweredOff(device: string): void {
    for (const [key, of] of this.#finished) if (of === device) this.#finished.delete(key);
  }

  /** The story is over. */
  check(runs: readonly RunRow[], expected: readonly Expected[]): void {
    const planned = new Map<string, string>();
    for (const { run, device, organization, night, origin, requested_at_ms, outcome, granted_token } of runs) {
      if (outcome === null || !this.#ended.has(run)) this.#break('one record a run', `${run} has none`);
      if (outcome === 'lost' && this.#finished.has(`${run}/${granted_token}`))
        this.#break('nothing finished is lost', `${run} was finished by ${device}`);
      if (origin !== 'schedule' || night === null) continue;
      const key = `${organization} ${device} ${requested_at_ms}`;
      if (planned.has(key)) this.#break('one run a night', `${planned.get(key)} and ${run} of ${key}`);
      planned.set(key, run);
    }
    const first = this.#first_look;
    if (first === null) return;
    for (const { organization, nights, window_ms, devices } of expected) {
      const starts = nights?.(first - window_ms, this.#last_look) ?? [];
      for (const [index, start] of starts.entries()) {
        const end = Math.min(start + window_ms, starts[index + 1] ?? Number.POSITIVE_INFINITY);
        for (const device of devices) {
          const isThere = planned.delete(`${organization} ${device} ${start}`);
          if (!isThere && (start > first || end > first))
            this.#break('nobody is left out', `${device} of ${organization} at ${new Date(start).toISOString()}`);
        }
      }
    }
    for (const key of planned.keys()) this.#break('one run a night', `${key} is no night of the schedule`);
  }
}
