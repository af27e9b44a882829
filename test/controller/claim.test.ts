import { describe, expect, it } from 'vitest';
import { CLAIM_WAIT_MS } from '../../broker/contract/numbers.ts';
import { claimWake, hearClaim, newClaim, tickClaim } from '../../controller/claim.ts';

const status = (boot: string, online = true) => ({ boot, online, version: null });

describe('a claim to a broker', () => {
  it('is in charge when its claim came back and nobody objected for five seconds', () => {
    const claim = newClaim();
    expect(claimWake(claim)).toBe(Number.POSITIVE_INFINITY);
    expect(tickClaim(claim, 99_999)).toEqual({ verdict: 'wait' });
    expect(hearClaim(claim, 'us', status('us'), 1000)).toEqual({ verdict: 'wait' });
    expect(claimWake(claim)).toBe(1000 + CLAIM_WAIT_MS);
    expect(tickClaim(claim, 999 + CLAIM_WAIT_MS)).toEqual({ verdict: 'wait' });
    expect(tickClaim(claim, 1000 + CLAIM_WAIT_MS)).toEqual({ verdict: 'in-charge' });
    expect(claimWake(claim)).toBe(Number.POSITIVE_INFINITY);
  });

  it('yields to a controller that was there before and repeats its claim', () => {
    const claim = newClaim();
    hearClaim(claim, 'us', status('them'), 0);
    hearClaim(claim, 'us', status('us'), 1);
    expect(hearClaim(claim, 'us', status('them'), 2)).toEqual({ verdict: 'yield', to: 'them' });
  });

  it('does not yield to what the broker kept of a dead controller, nor to its last will', () => {
    const claim = newClaim();
    hearClaim(claim, 'us', status('dead'), 0);
    hearClaim(claim, 'us', status('us'), 1);
    expect(hearClaim(claim, 'us', status('dead', false), 2)).toEqual({ verdict: 'repeat' });
    expect(tickClaim(claim, 1 + CLAIM_WAIT_MS)).toEqual({ verdict: 'in-charge' });
  });

  it('repeats itself against a controller that comes later, while claiming and in charge', () => {
    const claim = newClaim();
    hearClaim(claim, 'us', status('us'), 0);
    expect(hearClaim(claim, 'us', status('late'), 1)).toEqual({ verdict: 'repeat' });
    tickClaim(claim, CLAIM_WAIT_MS);
    expect(hearClaim(claim, 'us', status('late'), 9000)).toEqual({ verdict: 'repeat' });
  });

  it('gives nothing up once it is in charge, whoever was there before', () => {
    const claim = newClaim();
    hearClaim(claim, 'us', status('slow'), 0);
    hearClaim(claim, 'us', status('us'), 1);
    tickClaim(claim, 1 + CLAIM_WAIT_MS);
    expect(hearClaim(claim, 'us', status('slow'), 9000)).toEqual({ verdict: 'repeat' });
  });

  it('repeats itself when its own last will arrives late', () => {
    const claim = newClaim();
    expect(hearClaim(claim, 'us', status('us', false), 0)).toEqual({ verdict: 'repeat' });
  });

  it('lets exactly one of two controllers win that claim at the same time', () => {
    // The broker gives both the same order: first, second.
    const first = newClaim();
    const second = newClaim();
    hearClaim(first, 'first', status('first'), 0);
    hearClaim(second, 'second', status('first'), 0);
    expect(hearClaim(first, 'first', status('second'), 1)).toEqual({ verdict: 'repeat' });
    expect(hearClaim(second, 'second', status('second'), 1)).toEqual({ verdict: 'wait' });
    expect(hearClaim(second, 'second', status('first'), 2)).toEqual({ verdict: 'yield', to: 'first' });
  });
});
