import { describe, expect, it } from 'vitest';
import { only, SlotBench } from '../../helpers/slot-bench.ts';

/** d1 holds the slot with token 1, d2 is on deck with token 2. */
const bench = () => {
  const slots = new SlotBench();
  slots.begin('r1', 'd1');
  slots.online('d2');
  slots.submit('r2', 'd2');
  slots.ready('r2', 'd2');
  return slots;
};

describe('a device', () => {
  it('cannot free or answer for the slot of another one', () => {
    const slots = bench();
    expect(slots.finished('r1', 'd2', 1)).toEqual([]);
    expect(slots.finished('r2', 'd2', 1)).toEqual([]);
    expect(
      slots.do({ type: 'declined', device: 'd2', run: 'r1', boot: 'd2-b1', token: 1, nonce: 'n-r1', reason: 'x' }),
    ).toEqual([]);
    expect(slots.started('r1', 'd2', 1, 'd2-b1')).toEqual([]);
    expect(slots.slots.view()).toMatchObject([{ state: 'leased', device: 'd1' }]);
  });

  it('cannot speak for the run of another one on deck', () => {
    const slots = bench();
    expect(slots.refused('r2', 'd1', 'iperf3-missing')).toEqual([]);
    expect(only(slots.ready('r2', 'd1', 'n-false'), 'save-lease')).toEqual([]);
    expect(only(slots.finished('r1', 'd1', 1), 'start')).toMatchObject([{ device: 'd2', nonce: 'n-r2' }]);
  });

  it('speaks of a lease by run and token: the run of another controller, or of a lost store, may have had the same token', () => {
    const slots = bench();
    expect(slots.finished('r-of-another-store', 'd1', 1)).toEqual([]);
    expect(slots.started('r-of-another-store', 'd1', 1)).toEqual([]);
    expect(slots.declined('r-of-another-store', 'd1', 1, 'd1-b1', 'n-r1')).toEqual([]);
    expect(slots.slots.view()).toMatchObject([{ state: 'leased', run: 'r1' }]);
  });

  it('does not disturb the one on deck behind it by its own new boot', () => {
    const slots = bench();
    expect(slots.online('d1', 'd1-b2').map(({ type }) => type)).toEqual(['start']);
    expect(slots.slots.view()).toMatchObject([{ run: 'r1', on_deck: { run: 'r2', ready: true } }]);
  });
});
