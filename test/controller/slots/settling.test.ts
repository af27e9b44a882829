import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, found, only, REST_MS, row, SlotBench } from '../../helpers/slot-bench.ts';

describe('a lease that a person cancelled', () => {
  it('has one end, also when its agent says finished', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(only(bench.do({ type: 'cancel', run: 'r1', reason: 'enough' }), 'ended')).toHaveLength(1);
    const after = bench.finished('r1', 'd1', 1);
    expect(only(after, 'released')).toEqual([]);
    expect(only(after, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 1 }]);
    expect(bench.states).toEqual(['idle']);
  });

  it('frees the slot at once when the agent that ran it says that it is dead', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.started('r1', 'd1', 1);
    bench.do({ type: 'cancel', run: 'r1', reason: 'enough' });
    bench.declined('r1', 'd1', 1);
    expect(bench.states).toEqual(['idle']);
  });

  it('lets the server rest when a later boot says that it is dead: the session may still be there', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.do({ type: 'cancel', run: 'r1', reason: 'enough' });
    bench.online('d1', 'd1-b2');
    const after = bench.declined('r1', 'd1', 1, 'd1-b2');
    expect(only(after, 'ended')).toEqual([]);
    expect(bench.states).toEqual(['resting']);
    bench.wait(REST_MS - 1);
    expect(bench.states).toEqual(['resting']);
    bench.wait(1);
    expect(bench.states).toEqual(['idle']);
  });

  it('is not told to run when its agent answers that it has started', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.do({ type: 'cancel', run: 'r1', reason: 'enough' });
    expect(only(bench.started('r1', 'd1', 1), 'phase')).toEqual([]);
    const repeated = bench.wait(1000);
    expect(only(repeated, 'cancel')).toMatchObject([{ run: 'r1', reason: 'enough' }]);
    expect(only(repeated, 'start')).toMatchObject([{ token: 1 }]);
  });
});

describe('a new boot of the agent', () => {
  it('is asked until it answers, also when the old one is heard late to have started', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.online('d1', 'd1-b2');
    bench.started('r1', 'd1', 1, 'd1-b1');
    expect(only(bench.wait(1000), 'start')).toHaveLength(1);
  });
});

describe('a lease found on deck', () => {
  const bench = () => {
    const slots = new SlotBench({ in_charge: false, last_token: 2 });
    slots.slots.recover([found(row(1, 'r1', 'd1')), found(row(2, 'r2', 'd2', { granted: false }))], 0);
    slots.do({ type: 'in-charge', yes: true });
    return slots;
  };

  it('is over when its result comes before its turn, and is not asked any more', () => {
    const slots = bench();
    const after = slots.finished('r2', 'd2', 2);
    expect(only(after, 'released')).toEqual([{ type: 'released', run: 'r2', token: 2 }]);
    expect(only(after, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 2 }]);
    expect(only(slots.finished('r1', 'd1', 1), 'start')).toEqual([]);
    expect(slots.slots.view()).toMatchObject([{ state: 'idle', on_deck: null }]);
  });

  it('has one end, also when it was cancelled and its result comes', () => {
    const slots = bench();
    expect(only(slots.do({ type: 'cancel', run: 'r2', reason: 'enough' }), 'ended')).toHaveLength(1);
    expect(only(slots.finished('r2', 'd2', 2), 'released')).toEqual([]);
  });

  it('is asked in its turn for the full length when nothing is heard of the one before', () => {
    const slots = bench();
    const until = slots.wait(DEADLINE_MS + REST_MS - 1);
    expect(only(until, 'start').filter(({ token }) => token === 2)).toEqual([]);
    expect(only(until, 'ended')).toMatchObject([{ run: 'r1', ending: { how: 'overdue' } }]);
    expect(only(slots.wait(1), 'start')).toMatchObject([{ token: 2, nonce: 'n-r2' }]);
    expect(slots.slots.view()).toMatchObject([{ state: 'leased', run: 'r2' }]);
  });
});
