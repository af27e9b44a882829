import { LATER_MS, type LeftOver } from '../store/notices.ts';
import type { Missed } from './receivers/receiver.ts';

/** An address that a mail server does not take for now is tried so often, every 5 minutes: for a day. */
const LATER_TRIES = 288;

/** What becomes of a notice for the addresses that did not get it, after so many tries for some before. */
export const leftOver = (missed: readonly Missed[], tries: number, now_ms: number): LeftOver => {
  const isRefused = ({ permanent }: Missed) => permanent || tries + 1 >= LATER_TRIES;
  const left = missed.filter((one) => !isRefused(one));
  const reason = left.map((one) => one.reason).join('; ');
  const later = { to: left.map(({ to }) => to), reason, not_before_ms: now_ms + LATER_MS };
  return { refused: missed.filter(isRefused), later: left.length === 0 ? null : later };
};
