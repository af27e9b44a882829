import type { AlertNotice } from '../notice.ts';

/** An address that did not get a notice: for now, or for good. */
export interface Missed {
  to: string;
  permanent: boolean;
  reason: string;
}

/**
 * What became of a notice. `retry`: the same again later, not before `after_ms` if the receiver said so. `refused`: this one will never be
 * taken. `in-part`: some of a receiver's addresses have it now, or had it before; these have not. `answer` is what the receiver said.
 */
export type Outcome =
  | { kind: 'delivered'; answer: string }
  | { kind: 'in-part'; answer: string; missed: Missed[] }
  | { kind: 'retry'; reason: string; after_ms?: number }
  | { kind: 'refused'; reason: string };

/** `remind` is given at most so many at once. */
export const REMIND_BATCH = 500;

/** Somebody who is told of alerts. Neither method throws. Both give up when `signal` says so, and may have been heard by then. */
export interface Receiver {
  /** Tries once. `left_to`: only these addresses, of a receiver that has several; null for all. */
  send(notice: AlertNotice, signal: AbortSignal, left_to?: readonly string[] | null): Promise<Outcome>;
  /** For a receiver that forgets what is not said again; null for those that do not. */
  remind: ((firing: readonly AlertNotice[], signal: AbortSignal) => Promise<Outcome>) | null;
}
