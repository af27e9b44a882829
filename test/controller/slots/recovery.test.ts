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
