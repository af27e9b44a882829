import type { Clock } from '../../broker/clock.ts';
import type { ProbeReport } from '../drivers/probe.ts';
import type { SlotEffect, SlotEvent } from '../slots/events.ts';

type Unprobed = Extract<SlotEffect, { type: 'unprobed' }>;

/** What came of a check: what a probe found, or why there was none. */
export type Checked = ProbeReport | Pick<Unprobed, 'why' | 'client'>;

/** A probe is over after 3 s. The slots answer at once, but not when the controller is about to stop. */
const CHECKED_WITHIN_MS = 10_000;

/** People who ask whether a server answers, and what the slots have to say to that. */
export class Checks {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, ((checked: Checked) => void)[]>();
  /** The newest probe of each server. */
  readonly #newest = new Map<string, Promise<ProbeReport>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has the server probed if the slots allow it. Null after 10 s without an answer: the controller is stopping. */
  ask(server: string, handle: (event: SlotEvent) => void): Promise<Checked | null> {
    return new Promise((resolve) => {
      const cancelTimer = this.#clock.after(CHECKED_WITHIN_MS, () => resolve(null));
      const answer = (checked: Checked) => {
        cancelTimer();
        resolve(checked);
      };
      this.#waiting.set(server, [...(this.#waiting.get(server) ?? []), answer]);
      handle({ type: 'check', server });
    });
  }

  /** A probe was sent, for whatever reason: who waits for one gets what it finds. */
  probed(server: string, report: Promise<ProbeReport>): void {
    this.#newest.set(server, report);
    this.#hand(server, report);
  }

  /** No probe was sent. One that is out, or was a moment ago, answers. */
  unprobed({ server, why, client }: Unprobed): void {
    const newest = this.#newest.get(server);
    this.#hand(server, why === 'probed' && newest !== undefined ? newest : Promise.resolve({ why, client }));
  }

  #hand(server: string, checked: Promise<Checked>): void {
    const waiting = this.#waiting.get(server) ?? [];
    this.#waiting.delete(server);
    for (const answer of waiting) void checked.then(answer);
  }
}
