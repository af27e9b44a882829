import type { SlotStatus } from '../../broker/contract/messages.ts';
import { QUARANTINE_S } from '../../broker/contract/numbers.ts';

/** No lease of ours is longer; a stranger's clock that says more is wrong. */
const LONGEST_REST_MS = 3_600_000;

/**
 * How long a server rests whose retained slot names a run that is not ours: until its lease is over, and the dead session after it.
 * Null when the slot is free. Milliseconds.
 */
export const strangerRest = (slot: SlotStatus, wall_ms: number): number | null => {
  if (slot.token === null) return null;
  const until = Date.parse(slot.until ?? '');
  const left = Number.isNaN(until) ? LONGEST_REST_MS : Math.min(Math.max(0, until - wall_ms), LONGEST_REST_MS);
  return left + 1000 * QUARANTINE_S;
};
