import type { ControllerStatus } from '../broker/contract/messages.ts';
import { CLAIM_WAIT_MS } from '../broker/contract/numbers.ts';

/*
 * One controller on a broker: rule 8 of the lease protocol. Pure; one Claim for each connection to the broker.
 *
 * claiming → in charge     our claim came back from the broker, and CLAIM_WAIT_MS passed unopposed
 * claiming → yielded       a controller that was there before our claim repeated its own after it: it is alive
 * any      → (repeats)     a controller that came after us claims: we repeat our own, and it obeys
 *
 * The broker gives all subscribers the same order of messages on one topic, so of two controllers exactly one came first.
 */

export type ClaimVerdict =
  | { verdict: 'wait' }
  /** Publish our own status again: somebody else has overwritten it. */
  | { verdict: 'repeat' }
  /** Another controller, with this boot, is alive on this broker. */
  | { verdict: 'yield'; to: string }
  | { verdict: 'in-charge' };

export interface Claim {
  /** Boots that were seen before our own claim came back. */
  before: string[];
  /** When our claim came back from the broker; null before that. */
  echoed_at: number | null;
  in_charge: boolean;
}

export const newClaim = (): Claim => ({ before: [], echoed_at: null, in_charge: false });

/** A message on `controller/status`, ours or another's. */
export const hearClaim = (claim: Claim, own_boot: string, status: ControllerStatus, now: number): ClaimVerdict => {
  if (status.boot === own_boot) {
    if (!status.online) return { verdict: 'repeat' };
    claim.echoed_at ??= now;
    return { verdict: 'wait' };
  }
  if (claim.echoed_at === null) {
    claim.before.push(status.boot);
    return { verdict: 'wait' };
  }
  const wasThere = claim.before.includes(status.boot);
  if (status.online && wasThere && !claim.in_charge) return { verdict: 'yield', to: status.boot };
  return { verdict: 'repeat' };
};

/** When the claim is decided if nobody opposes it; Infinity before it came back. */
export const claimWake = (claim: Claim): number =>
  claim.in_charge || claim.echoed_at === null ? Number.POSITIVE_INFINITY : claim.echoed_at + CLAIM_WAIT_MS;

/** Time passes: unopposed for long enough, the controller is in charge. */
export const tickClaim = (claim: Claim, now: number): ClaimVerdict => {
  if (now < claimWake(claim)) return { verdict: 'wait' };
  claim.in_charge = true;
  return { verdict: 'in-charge' };
};
