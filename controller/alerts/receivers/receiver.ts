import type { AlertNotice } from '../notice.ts';

/**
 * What became of a notice. `retry`: the same again later, not before `after_ms` if the receiver said so. `refused`: this one will never be
 * taken. `answer` is what the receiver said; `warning`, what of it people should know.
 */
export type Outcome =
  | { kind: 'delivered'; answer: string; warning?: string }
  | { kind: 'retry'; reason: string; after_ms?: number }
  | { kind: 'refused'; reason: string };

/** `remind` is given at most so many at once. */
export const REMIND_BATCH = 500;

/** Somebody who is told of alerts. Neither method throws. Both give up when `signal` says so, and may have been heard by then. */
export interface Receiver {
  /** Tries once. */
  send(notice: AlertNotice, signal: AbortSignal): Promise<Outcome>;
  /** For a receiver that forgets what is not said again; null for those that do not. */
  remind: ((firing: readonly AlertNotice[], signal: AbortSignal) => Promise<Outcome>) | null;
}
