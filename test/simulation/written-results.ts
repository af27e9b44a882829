import type { StoredResult } from '../../agent/core/io.ts';
import { RESEND_FIRST_MS, RESEND_MAX_MS } from '../../broker/contract/numbers.ts';
import type { WrittenVoice } from './written-voice.ts';

interface Kept {
  result: StoredResult;
  resend_at: number;
  delay: number;
}

/** A lease: stores count their tokens each for itself. */
export const nameOf = ({ run, token }: { run: string; token: number }): string => `${run}/${token}`;

/** Results that nobody has accepted yet, by run and token: said again and again (F2). */
export class WrittenResults {
  readonly #voice: WrittenVoice;
  readonly #kept = new Map<string, Kept>();

  constructor(voice: WrittenVoice) {
    this.#voice = voice;
  }

  get count(): number {
    return this.#kept.size;
  }

  has(lease: { run: string; token: number }): boolean {
    return this.#kept.has(nameOf(lease));
  }

  keep(result: StoredResult, now: number): void {
    this.#kept.set(nameOf(result), { result, resend_at: now + RESEND_FIRST_MS, delay: RESEND_FIRST_MS });
  }

  send(lease: { run: string; token: number }): void {
    const kept = this.#kept.get(nameOf(lease));
    if (kept !== undefined) this.#voice.finished(kept.result);
  }

  /** False when there is none of the run. */
  sendOf(run: string): boolean {
    const kept = [...this.#kept.values()].find(({ result }) => result.run === run);
    if (kept !== undefined) this.#voice.finished(kept.result);
    return kept !== undefined;
  }

  /** To a controller that knows nothing of what was sent before; the waits begin anew. */
  sendAll(now: number): void {
    for (const kept of this.#kept.values()) {
      this.#voice.finished(kept.result);
      kept.delay = RESEND_FIRST_MS;
      kept.resend_at = now + kept.delay;
    }
  }

  resendDue(now: number): void {
    for (const kept of this.#kept.values()) {
      if (now < kept.resend_at) continue;
      this.#voice.finished(kept.result);
      kept.delay = Math.min(2 * kept.delay, RESEND_MAX_MS);
      kept.resend_at = now + kept.delay;
    }
  }

  /** True when there was one. */
  forget(lease: { run: string; token: number }): boolean {
    const isThere = this.#kept.delete(nameOf(lease));
    if (isThere) this.#voice.act({ kind: 'forget_result', run: lease.run });
    return isThere;
  }

  /** All of the run; returns what was forgotten. */
  forgetOf(run: string): StoredResult[] {
    const results = [...this.#kept.values()].map(({ result }) => result).filter((result) => result.run === run);
    for (const result of results) this.forget(result);
    return results;
  }

  moments(): number[] {
    return [...this.#kept.values()].map(({ resend_at }) => resend_at);
  }
}
