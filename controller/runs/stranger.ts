import type { SlotStatus, TestPlan } from '../../broker/contract/messages.ts';
import { leaseMs, restMs, slotLengthMs } from '../slots/plan-length.ts';

/** A rest of unknown length is at least this: enough for the lease and the rest of ten tests of 1 min, or three of 3 min. */
const UNKNOWN_LENGTH_MS = 900_000;

/**
 * How long, in milliseconds from now, a server rests whose retained slot names a run that is not ours: for the full length of that lease
 * and its rest, as the message says it. Its `until` is another machine's wall clock and decides nothing. Null when the slot is free.
 *
 * A controller of another make may not say the length. Two controllers on one broker measure one fleet, most likely with the same tests,
 * so the longest lease of `plans`, our own checks, is what we can know of its leases; and never less than 15 min, as ours may be short.
 */
export const strangerRest = (slot: SlotStatus, plans: readonly (readonly TestPlan[])[]): number | null => {
  if (slot.token === null) return null;
  return slot.length_ms ?? Math.max(UNKNOWN_LENGTH_MS, ...plans.map(fullLengthMs));
};

/** A lease of these tests and the rest after an unclean end. */
const fullLengthMs = (tests: readonly TestPlan[]): number => slotLengthMs(leaseMs(tests)) + restMs(tests);
