import type { Clock } from '../../broker/clock.ts';
import type { ReceiverSettings } from '../config/settings.ts';
import type { Outcome } from './receivers/receiver.ts';

/** One attempt takes at most so long. Mail servers let strangers wait on purpose. */
const LIMIT_MS: Record<ReceiverSettings['kind'], number> = {
  webhook: 10_000,
  alertmanager: 10_000,
  mqtt: 10_000,
  email: 30_000,
};

/** Attempts to tell a receiver something, which end in time whatever it does. */
export class Attempts {
  readonly #clock: Clock;
  readonly #underWay = new Set<AbortController>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What `work` comes to, or a reason to try again when it takes longer than a receiver of this kind is given, or is given up. */
  async make(kind: ReceiverSettings['kind'], work: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
    const limit_ms = LIMIT_MS[kind];
    const attempt = new AbortController();
    this.#underWay.add(attempt);
    const { signal } = attempt;
    const late = () => attempt.abort(new Error(`nothing within ${limit_ms / 1000} s`));
    const cancel = this.#clock.after(limit_ms, late);
    const givenUp = new Promise<Outcome>((resolve) => {
      signal.addEventListener('abort', () => resolve({ kind: 'retry', reason: String(signal.reason) }));
    });
    try {
      return await Promise.race([work(signal), givenUp]);
    } finally {
      cancel();
      this.#underWay.delete(attempt);
    }
  }

  /** Gives up all that are under way. */
  giveUp(reason: string): void {
    for (const attempt of this.#underWay) attempt.abort(new Error(reason));
  }
}
