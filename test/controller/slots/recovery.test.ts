import { describe, expect, it } from 'vitest';
import { found, only, row, SlotBench } from '../../helpers/slot-bench.ts';

const TWO_SERVERS = { servers: ['s1', 's2'].map((server) => ({ server, host_group: null })), last_token: 9 };

describe('recovery', () => {
  it('settles each of two leases of one device by its own answer, and gives the device nothing new before both are over', () => {
    const bench = new SlotBench({ ...TWO_SERVERS, in_charge: false });
    const rows = [row(3, 'r3', 'd1'), row(4, 'r4', 'd1', { server: 's2' })];
    bench.slots.recover(
      rows.map((lease) => found(lease)),
      0,
    );
    bench.do({ type: 'in-charge', yes: true });
    bench.online('d1');
    bench.submit('r5', 'd1', { servers: ['s1', 's2'] });
    expect(only(bench.finished('r3', 'd1', 3), 'released')).toMatchObject([{ run: 'r3' }]);
    expect(bench.states).toEqual(['idle', 'leased']);
    const after = bench.finished('r4', 'd1', 4);
    expect(only(after, 'released')).toMatchObject([{ run: 'r4' }]);
    expect(only(after, 'prepare')).toMatchObject([{ run: 'r5' }]);
  });
});

describe('a run with two leases on disk', () => {
  const bench = () => {
    const slots = new SlotBench({ ...TWO_SERVERS, in_charge: false });
    slots.slots.recover([found(row(4, 'r1', 'd1', { server: 's2', boot: 'd1-b2' })), found(row(3, 'r1', 'd1'))], 0);
    slots.do({ type: 'in-charge', yes: true });
    slots.online('d1', 'd1-b2');
    return slots;
  };

  it('was given up under the earlier token: only the later one says how the run ends', () => {
    const slots = bench();
    expect(only(slots.declined('r1', 'd1', 3, 'd1-b2'), 'ended')).toEqual([]);
    expect(slots.states).toEqual(['resting', 'leased']);
    expect(only(slots.finished('r1', 'd1', 4), 'released')).toEqual([{ type: 'released', run: 'r1', token: 4 }]);
  });

  it('is not cancelled because of the earlier one', () => {
    const slots = bench();
    const repeated = slots.wait(1000);
    expect(only(repeated, 'start').map(({ token }) => token)).toEqual([3, 4]);
    expect(only(repeated, 'cancel')).toEqual([]);
  });

  it('has one end when a person cancels it', () => {
    expect(only(bench().do({ type: 'cancel', run: 'r1', reason: 'enough' }), 'ended')).toHaveLength(1);
  });

  it('waits for its turn again when it is submitted while the earlier lease is not settled yet', () => {
    const slots = bench();
    slots.started('r1', 'd1', 4, 'd1-b2');
    expect(only(slots.declined('r1', 'd1', 4, 'd1-b2'), 'ended')).toMatchObject([{ ending: { how: 'interrupted' } }]);
    expect(only(slots.submit('r1', 'd1', { servers: ['s1', 's2'] }), 'phase')).toMatchObject([{ phase: 'waiting' }]);
  });
});
