import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, found, only, REST_MS, row, SlotBench } from '../../helpers/slot-bench.ts';

const TWO_SERVERS = {
  servers: ['s1', 's2'].map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null })),
  last_token: 9,
};

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

describe('three leases on one server: two starts were sent, and what they made superfluous was not dropped yet', () => {
  const bench = (
    three = [row(7, 'r1', 'd1'), row(8, 'r2', 'd2', { granted: false }), row(9, 'r3', 'd3', { granted: false })],
  ) => {
    const slots = new SlotBench({ in_charge: false, last_token: 9 });
    slots.slots.recover(
      three.map((lease) => found(lease)),
      0,
    );
    slots.do({ type: 'in-charge', yes: true });
    return slots;
  };

  it('are asked one after the other, in the order of their tokens, and none of them is forgotten', () => {
    const slots = bench();
    const second = slots.finished('r1', 'd1', 7);
    expect(only(second, 'start')).toMatchObject([{ token: 8 }]);
    expect(only(second, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 7 }]);
    const third = slots.declined('r2', 'd2', 8);
    expect(only(third, 'start')).toMatchObject([{ token: 9 }]);
    expect(only(third, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 8 }]);
    expect(only(slots.declined('r3', 'd3', 9), 'drop-lease')).toEqual([{ type: 'drop-lease', token: 9 }]);
    expect(slots.states).toEqual(['idle']);
  });

  it('are asked in that order also when only a later one is known to be granted', () => {
    const slots = bench([
      row(7, 'r1', 'd1', { granted: false }),
      row(8, 'r2', 'd2'),
      row(9, 'r3', 'd3', { granted: false }),
    ]);
    expect(only(slots.wait(1000), 'start')).toMatchObject([{ token: 7 }]);
    expect(only(slots.declined('r1', 'd1', 7), 'start')).toMatchObject([{ token: 8 }]);
  });

  it('are not asked any more when their result comes before their turn', () => {
    const slots = bench();
    expect(only(slots.finished('r3', 'd3', 9), 'granted')).toMatchObject([{ lease: { token: 9 } }]);
    expect(only(slots.finished('r2', 'd2', 8), 'released')).toEqual([{ type: 'released', run: 'r2', token: 8 }]);
    const after = slots.finished('r1', 'd1', 7);
    expect(only(after, 'start')).toEqual([]);
    expect(slots.states).toEqual(['idle']);
  });

  it('keep what their agent has, when a late ready is heard before their turn', () => {
    const slots = bench();
    expect(only(slots.ready('r3', 'd3'), 'cancel')).toEqual([]);
  });

  it('are asked also when a person cancelled one, and its agent is told', () => {
    const slots = bench();
    slots.do({ type: 'cancel', run: 'r3', reason: 'enough' });
    slots.finished('r1', 'd1', 7);
    expect(only(slots.declined('r2', 'd2', 8), 'start')).toMatchObject([{ token: 9 }]);
    expect(only(slots.wait(1000), 'cancel')).toMatchObject([{ run: 'r3', reason: 'enough' }]);
    expect(only(slots.declined('r3', 'd3', 9), 'ended')).toEqual([]);
  });

  it('keep the room in their uplink group until they are settled', () => {
    const slots = new SlotBench({
      ...TWO_SERVERS,
      in_charge: false,
      uplink_groups: new Map([['tower', { capacity: 1 }]]),
    });
    const rows = [7, 8, 9].map((token) => row(token, `r${token}`, `d${token}`));
    slots.slots.recover(
      rows.map((lease) => found(lease, { uplink_group: 'tower' })),
      0,
    );
    slots.do({ type: 'in-charge', yes: true });
    slots.online('d1');
    slots.submit('r1', 'd1', { servers: ['s2'], uplink_group: 'tower' });
    expect(only(slots.finished('r8', 'd8', 8), 'prepare')).toEqual([]);
    expect(only(slots.finished('r7', 'd7', 7), 'prepare')).toEqual([]);
    expect(only(slots.finished('r9', 'd9', 9), 'prepare')).toMatchObject([{ run: 'r1', server: 's2' }]);
  });

  it('each keep their address from others until they are settled', () => {
    const slots = bench([
      row(7, 'r1', 'd1'),
      row(8, 'r2', 'd2', { granted: false }),
      row(9, 'r3', 'd3', { granted: false, endpoint: 'old' }),
    ]);
    const servers = ['s1', 's2'].map((server) => ({ server, host_group: null, max_bitrate: null }));
    slots.slots.configure({
      servers: servers.map((one) => ({ ...one, endpoint: one.server === 's2' ? 'old' : 's1' })),
      host_groups: new Map(),
      uplink_groups: new Map(),
    });
    slots.online('d4');
    slots.submit('r4', 'd4', { servers: ['s2'] });
    expect(only(slots.ready('r4', 'd4'), 'start')).toEqual([]);
    expect(only(slots.finished('r3', 'd3', 9), 'start')).toMatchObject([{ run: 'r4', server: 's2' }]);
  });
});

describe('recovery in general', () => {
  it('takes a granted lease as granted now, asks for it with the same start, and tells nobody before it is in charge', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 3 });
    bench.now = 500_000;
    const lease = row(3, 'r1', 'd1');
    const effects = bench.slots.recover([found(lease)], bench.now);
    const { token, run, device, nonce, boot, server, endpoint, lease_ms } = lease;
    expect(effects).toEqual([
      { type: 'start', device, run, token, nonce, boot, server, endpoint, lease_ms },
      { type: 'phase', run, phase: 'starting', server: 's1' },
    ]);
    const shown = { device, run, token, length_ms: DEADLINE_MS, rest_ms: REST_MS };
    expect(bench.slots.slotEffects(bench.now)).toEqual([{ type: 'slot', server: 's1', lease: shown, state: 'leased' }]);
    expect(only(bench.wait(DEADLINE_MS - 1), 'ended')).toEqual([]);
    expect(only(bench.wait(1), 'ended')).toMatchObject([{ run: 'r1', ending: { how: 'overdue' } }]);
  });

  it('does not take a recovered run again when it is submitted, and gives it a new token when its start is declined', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 3 });
    bench.slots.recover([found(row(3, 'r1', 'd1', { granted: false }))], 0);
    bench.online('d1');
    expect(bench.submit('r1', 'd1')).toEqual([]);
    expect(only(bench.do({ type: 'in-charge', yes: true }), 'start')).toMatchObject([{ token: 3, nonce: 'n-r1' }]);
    bench.declined('r1', 'd1', 3);
    expect(only(bench.wait(5000), 'prepare')).toMatchObject([{ run: 'r1' }]);
    expect(only(bench.ready('r1', 'd1'), 'start')).toMatchObject([{ token: 4 }]);
  });

  it('lets nothing but the answer to its start take a recovered lease off the deck', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 3 });
    bench.slots.recover([found(row(2, 'r1', 'd1')), found(row(3, 'r2', 'd2', { granted: false }))], 0);
    bench.online('d2');
    bench.online('d2', 'd2-b2');
    bench.offline('d2', 'd2-b2');
    bench.refused('r2', 'd2', 'busy');
    expect(bench.ready('r2', 'd2', 'n9', 'd2-b2')).toEqual([]);
    bench.do({ type: 'in-charge', yes: true });
    bench.do({ type: 'in-charge', yes: false });
    expect(bench.slots.view()).toMatchObject([{ run: 'r1', on_deck: { run: 'r2', ready: true } }]);
  });

  it('is told by the agent alone that a lease runs on, before anything else is known of it', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 3 });
    bench.slots.recover([found(row(3, 'r1', 'd1'))], 0);
    expect(bench.started('r1', 'd1', 3)).toEqual([{ type: 'phase', run: 'r1', phase: 'running', server: 's1' }]);
    expect(bench.wait(DEADLINE_MS - 1)).toEqual([]);
  });

  it('asks for a lease whose run was over without giving it another end', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 3 });
    bench.slots.recover([{ ...found(row(3, 'r1', 'd1')), over: { cancel: 'the run was over' } }], 0);
    const asked = bench.wait(1000);
    expect(only(asked, 'cancel')).toEqual([{ type: 'cancel', device: 'd1', run: 'r1', reason: 'the run was over' }]);
    expect(only(bench.declined('r1', 'd1', 3), 'ended')).toEqual([]);
    expect(bench.states).toEqual(['idle']);
  });

  it('asks a recovered lease on deck in its turn when a person cancelled it, and does not start over', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 3 });
    bench.slots.recover([found(row(2, 'r1', 'd1')), found(row(3, 'r2', 'd2', { granted: false }))], 0);
    bench.do({ type: 'in-charge', yes: true });
    expect(bench.do({ type: 'cancel', run: 'r2', reason: 'enough' })).toEqual([
      { type: 'cancel', device: 'd2', run: 'r2', reason: 'enough' },
      { type: 'ended', run: 'r2', ending: { how: 'cancelled', reason: 'enough' } },
    ]);
    expect(bench.do({ type: 'cancel', run: 'r2', reason: 'enough' })).toEqual([]);
    expect(only(bench.finished('r1', 'd1', 2), 'start')).toMatchObject([{ token: 3 }]);
    expect(bench.declined('r2', 'd2', 3)).toEqual([
      { type: 'drop-lease', token: 3 },
      { type: 'slot', server: 's1', lease: null, state: 'idle' },
    ]);
  });

  it('keeps a server that left the configuration until its lease is settled, and gives it no other run', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 3 });
    bench.slots.recover([found(row(3, 'r1', 'd1', { server: 'gone' }))], 0);
    bench.do({ type: 'in-charge', yes: true });
    bench.online('d2');
    expect(only(bench.submit('r2', 'd2', { servers: ['gone', 's1'] }), 'prepare')).toMatchObject([{ server: 's1' }]);
    expect(bench.slots.view()).toMatchObject([{ server: 's1' }, { server: 'gone', state: 'leased' }]);
    expect(only(bench.finished('r1', 'd1', 3), 'released')).toHaveLength(1);
    expect(bench.slots.view()).toMatchObject([{ server: 's1' }]);
  });

  it('asks in its turn for a lease on deck whose run was over, and gives it no other end', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 3 });
    const over = { ...found(row(3, 'r2', 'd2', { granted: false })), over: { cancel: 'the run was over' } };
    bench.slots.recover([found(row(2, 'r1', 'd1')), over], 0);
    bench.do({ type: 'in-charge', yes: true });
    expect(bench.do({ type: 'cancel', run: 'r2', reason: 'enough' })).toEqual([]);
    expect(only(bench.finished('r1', 'd1', 2), 'start')).toMatchObject([{ token: 3 }]);
    expect(only(bench.finished('r2', 'd2', 3), 'released')).toEqual([]);
    expect(bench.states).toEqual(['idle']);
  });

  it('cancels the one of two runs of a device that is meant', () => {
    const bench = new SlotBench({ ...TWO_SERVERS, in_charge: false });
    bench.slots.recover([found(row(3, 'r3', 'd1')), found(row(4, 'r4', 'd1', { server: 's2' }))], 0);
    const stopped = bench.do({ type: 'cancel', run: 'r4', reason: 'enough' });
    expect(only(stopped, 'start')).toMatchObject([{ token: 4 }]);
    expect(only(bench.wait(1000), 'cancel')).toMatchObject([{ run: 'r4' }]);
  });
});
