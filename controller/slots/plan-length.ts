import type { TestPlan } from '../../broker/contract/messages.ts';
import {
  DEADLINE_MARGIN_MS,
  LEASE_SLACK_MS,
  QUARANTINE_S,
  START_WINDOW_MS,
  testLimitMs,
} from '../../broker/contract/numbers.ts';

/** How long a run of these tests may hold a slot: rule 3 of the lease protocol. */
export const leaseMs = (tests: readonly TestPlan[]): number =>
  tests.reduce((sum, test) => sum + testLimitMs(test.duration_s, test.omit_s), LEASE_SLACK_MS);

/** From `start` sent to the controller's deadline: the latest moment at which the agent can still be running, and a margin. */
export const slotLengthMs = (lease_ms: number): number => START_WINDOW_MS + lease_ms + DEADLINE_MARGIN_MS;

/** The longest test of a plan, in milliseconds, without its grace: how long a dead session can hold the server. */
export const longestTestMs = (tests: readonly TestPlan[]): number =>
  Math.max(...tests.map((test) => 1000 * (test.duration_s + test.omit_s)));

/** How long a server rests after a lease of these tests ended uncleanly: rule 6 of the lease protocol. */
export const restMs = (tests: readonly TestPlan[]): number => longestTestMs(tests) + 1000 * QUARANTINE_S;

/** How long a run of these tests takes when all goes well. */
export const expectedMs = (tests: readonly TestPlan[]): number =>
  tests.reduce((sum, test) => sum + 1000 * (test.duration_s + test.omit_s), 0);
