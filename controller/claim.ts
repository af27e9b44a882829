import type { ControllerStatus } from '../broker/contract/messages.ts';
import { CLAIM_WAIT_MS } from '../broker/contract/numbers.ts';

/*
 * One controller on a broker: rule 8 of the lease protocol. Pure; one Claim for each connection to the broker.
 *
 * claiming → in charge     our claim came back from the broker, and CLAIM_WAIT_MS passed unopposed
 * claiming → yielded       a controller that was there before our claim repeated its own after it: it is alive; or one says that it is in charge
 * any      → (repeats)     a controller that came after us claims: we repeat our own, and it obeys
 * any      → yielded       neither obeys, as neither knows that the other was there before: the one with the greater boot does then
 *
 * The broker gives all subscribers the same order of messages on one topic, so of two controllers exactly one came first. It keeps the last
 * message only: a late last will of a third one can hide who was there from who comes just then.
 */

/** Two controllers that claim have opposed each other so often, by then, that neither obeys: more often than messages are doubled. */
const MOST_REPEATS = 3;

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
  /** How often each of the others has claimed since. */
  opposed: Map<string, number>;
  /** When our claim came back from the broker; null before that. */
  echoed_at: number | null;
  in_charge: boolean;
}

export const newClaim = (): Claim => ({ before: [], opposed: new Map(), echoed_at: null, in_charge: false });

/** Whether we give way to a controller that lives, and claims or is in charge too. */
const obeys = (claim: Claim, own_boot: string, { boot, in_charge }: ControllerStatus): boolean => {
  const times = (claim.opposed.get(boot) ?? 0) + 1;
  claim.opposed.set(boot, times);
  const theirs = in_charge === true;
  if (theirs !== claim.in_charge) return theirs;
  if (!theirs && claim.before.includes(boot)) return true;
  return boot < own_boot && (theirs || times > MOST_REPEATS);
};

/** A message on `controller/status`, ours or another's. What the broker kept (`retained`) says nothing about who is alive. */
export const hearClaim = (
  claim: Claim,
  own_boot: string,
  status: ControllerStatus,
  retained: boolean,
  now: number,
): ClaimVerdict => {
  if (status.boot === own_boot) {
    if (!status.online) return { verdict: 'repeat' };
    claim.echoed_at ??= now;
    return { verdict: 'wait' };
  }
  if (claim.echoed_at === null || retained) {
    claim.before.push(status.boot);
    return { verdict: 'wait' };
  }
  if (status.online && obeys(claim, own_boot, status)) return { verdict: 'yield', to: status.boot };
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
