import { describe, expect, it } from 'vitest';
import { LEASE_MS, only, SlotBench } from '../../helpers/slot-bench.ts';

describe('the start', () => {
  it('names the server and the length of the lease, so that an agent prepared for another one can decline', () => {
    const bench = new SlotBench();
    expect(only(bench.begin('r1', 'd1'), 'start')).toEqual([
      { type: 'start', device: 'd1', run: 'r1', token: 1, nonce: 'n-r1', server: 's1', lease_ms: LEASE_MS },
    ]);
  });
});
