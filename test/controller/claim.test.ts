import { describe, expect, it } from 'vitest';
import { CLAIM_WAIT_MS } from '../../broker/contract/numbers.ts';
import { type Claim, claimWake, hearClaim, newClaim, tickClaim } from '../../controller/claim.ts';

const status = (boot: string, online = true, in_charge = false) => ({ boot, online, version: null, in_charge });

/** A message that is not one that the broker kept. */
const hear = (claim: Claim, own: string, said: ReturnType<typeof status>, now: number) =>
  hearClaim(claim, own, said, false, now);

describe('a claim to a broker', () => {
  it('is in charge when its claim came back and nobody objected for five seconds', () => {
    const claim = newClaim();
    expect(claimWake(claim)).toBe(Number.POSITIVE_INFINITY);
    expect(tickClaim(claim, 99_999)).toEqual({ verdict: 'wait' });
    expect(hear(claim, 'us', status('us'), 1000)).toEqual({ verdict: 'wait' });
    expect(claimWake(claim)).toBe(1000 + CLAIM_WAIT_MS);
    expect(tickClaim(claim, 999 + CLAIM_WAIT_MS)).toEqual({ verdict: 'wait' });
    expect(tickClaim(claim, 1000 + CLAIM_WAIT_MS)).toEqual({ verdict: 'in-charge' });
    expect(claimWake(claim)).toBe(Number.POSITIVE_INFINITY);
  });

  it('yields to a controller that was there before and repeats its claim', () => {
    const claim = newClaim();
    hear(claim, 'us', status('them'), 0);
    hear(claim, 'us', status('us'), 1);
    expect(hear(claim, 'us', status('them'), 2)).toEqual({ verdict: 'yield', to: 'them' });
  });

  it('does not yield to what the broker kept of a dead controller, nor to its last will', () => {
    const claim = newClaim();
    hear(claim, 'us', status('dead'), 0);
    hear(claim, 'us', status('us'), 1);
    expect(hear(claim, 'us', status('dead', false), 2)).toEqual({ verdict: 'repeat' });
    expect(tickClaim(claim, 1 + CLAIM_WAIT_MS)).toEqual({ verdict: 'in-charge' });
  });

  it('repeats itself against a controller that comes later, while claiming and in charge', () => {
    const claim = newClaim();
    hear(claim, 'us', status('us'), 0);
    expect(hear(claim, 'us', status('late'), 1)).toEqual({ verdict: 'repeat' });
    tickClaim(claim, CLAIM_WAIT_MS);
    expect(hear(claim, 'us', status('late'), 9000)).toEqual({ verdict: 'repeat' });
  });

  it('gives nothing up once it is in charge, whoever was there before', () => {
    const claim = newClaim();
    hear(claim, 'us', status('slow'), 0);
    hear(claim, 'us', status('us'), 1);
    tickClaim(claim, 1 + CLAIM_WAIT_MS);
    expect(hear(claim, 'us', status('slow'), 9000)).toEqual({ verdict: 'repeat' });
  });

  it('repeats itself when its own last will arrives late', () => {
    const claim = newClaim();
    expect(hear(claim, 'us', status('us', false), 0)).toEqual({ verdict: 'repeat' });
  });

  it('lets exactly one of two controllers win that claim at the same time', () => {
    // The broker gives both the same order: first, second.
    const first = newClaim();
    const second = newClaim();
    hear(first, 'first', status('first'), 0);
    hear(second, 'second', status('first'), 0);
    expect(hear(first, 'first', status('second'), 1)).toEqual({ verdict: 'repeat' });
    expect(hear(second, 'second', status('second'), 1)).toEqual({ verdict: 'wait' });
    expect(hear(second, 'second', status('first'), 2)).toEqual({ verdict: 'yield', to: 'first' });
  });

  it('yields to one that says it is in charge, also when a late last will hid it when we came', () => {
    const claim = newClaim();
    hear(claim, 'us', status('will', false), 0);
    hear(claim, 'us', status('us'), 1);
    expect(hear(claim, 'us', status('z', true, true), 2)).toEqual({ verdict: 'yield', to: 'z' });
  });

  it('takes nothing that the broker kept for a sign of life', () => {
    const claim = newClaim();
    hear(claim, 'us', status('us'), 1);
    expect(hearClaim(claim, 'us', status('dead', true, true), true, 2)).toEqual({ verdict: 'wait' });
    expect(tickClaim(claim, 1 + CLAIM_WAIT_MS)).toEqual({ verdict: 'in-charge' });
  });

  it('of two that claim and neither of which was there first, the one with the greater boot obeys in the end', () => {
    const [a, b] = [newClaim(), newClaim()];
    hear(a, 'a', status('a'), 0);
    hear(b, 'b', status('b'), 0);
    const verdicts = [1, 2, 3, 4].map((now) => [hear(a, 'a', status('b'), now), hear(b, 'b', status('a'), now)]);
    const repeat = { verdict: 'repeat' };
    expect(verdicts.slice(0, 3)).toEqual([1, 2, 3].map(() => [repeat, repeat]));
    expect(verdicts[3]).toEqual([repeat, { verdict: 'yield', to: 'a' }]);
  });

  it('of two that are in charge the one with the greater boot obeys at once', () => {
    const [a, b] = [newClaim(), newClaim()];
    for (const [claim, own] of [
      [a, 'a'],
      [b, 'b'],
    ] as const) {
      hear(claim, own, status(own), 0);
      tickClaim(claim, CLAIM_WAIT_MS);
    }
    expect(hear(a, 'a', status('b', true, true), 9000)).toEqual({ verdict: 'repeat' });
    expect(hear(b, 'b', status('a', true, true), 9000)).toEqual({ verdict: 'yield', to: 'a' });
  });
});
