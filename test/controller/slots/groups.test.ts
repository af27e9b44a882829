import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, found, only, REST_MS, row, SlotBench } from '../../helpers/slot-bench.ts';

const servers = (...names: string[]) =>
  names.map((server) => ({ server, endpoint: server, host_group: 'h', max_bitrate: null }));
const runsOf = (effects: { run: string }[]) => effects.map(({ run }) => run);

describe('a host group', () => {
  it('runs as many tests at a time as its capacity, and passes the room on in the order of the tokens', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2', 's3'), host_groups: new Map([['h', { capacity: 2 }]]) });
    for (const n of [1, 2, 3]) bench.begin(`r${n}`, `d${n}`, { servers: [`s${n}`] });
    expect(bench.states).toEqual(['leased', 'leased', 'idle']);
    expect(runsOf(only(bench.finished('r1', 'd1', 1), 'start'))).toEqual(['r3']);
    expect(bench.states).toEqual(['idle', 'leased', 'leased']);
  });

  it('runs one at a time when nothing is said about it', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    for (const n of [1, 2]) bench.begin(`r${n}`, `d${n}`, { servers: [`s${n}`] });
    expect(bench.states).toEqual(['leased', 'idle']);
  });

  it('may get less room, or lose a member, by new settings', () => {
    const members = servers('s1', 's2', 's3');
    const bench = new SlotBench({ servers: members, host_groups: new Map([['h', { capacity: 3 }]]) });
    const groups = { host_groups: new Map(), uplink_groups: new Map() };
    bench.begin('r1', 'd1');
    bench.slots.configure({ servers: members, ...groups });
    bench.begin('r2', 'd2', { servers: ['s2'] });
    expect(bench.states).toEqual(['leased', 'idle', 'idle']);
    const moved = members.map((one) => (one.server === 's2' ? { ...one, host_group: 'other' } : one));
    bench.slots.configure({ servers: moved, ...groups });
    expect(runsOf(only(bench.do({ type: 'tick' }), 'start'))).toContain('r2');
  });

  it('has no room beside a lease found on deck, which may be running while it waits for its turn', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2'), in_charge: false, last_token: 2 });
    bench.slots.recover([found(row(1, 'r1', 'd1')), found(row(2, 'r2', 'd2', { granted: false }))], 0);
    bench.do({ type: 'in-charge', yes: true });
    bench.wait(DEADLINE_MS);
    bench.online('d3');
    bench.submit('r3', 'd3', { servers: ['s2'] });
    expect(only(bench.ready('r3', 'd3'), 'start')).toEqual([]);
    expect(runsOf(only(bench.wait(REST_MS), 'start'))).toContain('r2');
    bench.finished('r2', 'd2', 2);
    expect(runsOf(only(bench.ready('r3', 'd3', 'n9'), 'start'))).toEqual(['r3']);
  });
});

describe('an uplink group', () => {
  const bench = (capacity?: number) =>
    new SlotBench({
      servers: ['s1', 's2', 's3'].map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null })),
      uplink_groups: new Map(capacity === undefined ? [] : [['u', { capacity }]]),
      in_charge: false,
      last_token: 2,
    });
  const behindTower = { uplink_group: 'u' };

  it('has as many devices measured at a time as its capacity, and the others are not even prepared', () => {
    const slots = bench(2);
    slots.do({ type: 'in-charge', yes: true });
    for (const n of [1, 2, 3]) slots.begin(`r${n}`, `d${n}`, { servers: [`s${n}`], ...behindTower });
    expect(slots.states).toEqual(['leased', 'leased', 'idle']);
    expect(runsOf(only(slots.finished('r1', 'd1', 3), 'prepare'))).toEqual(['r3']);
  });

  it('is prepared for the server that it leaves', () => {
    const slots = bench();
    slots.do({ type: 'in-charge', yes: true });
    slots.begin('r1', 'd1', behindTower);
    slots.online('d2');
    expect(runsOf(only(slots.submit('r2', 'd2', behindTower), 'prepare'))).toEqual(['r2']);
    expect(only(slots.ready('r2', 'd2'), 'start')).toEqual([]);
    expect(runsOf(only(slots.finished('r1', 'd1', 3), 'start'))).toEqual(['r2']);
  });

  it('may follow on another server when one of it gives its seat back', () => {
    const slots = bench(2);
    slots.do({ type: 'in-charge', yes: true });
    slots.begin('r1', 'd1', behindTower);
    slots.begin('r2', 'd2', { servers: ['s2'], ...behindTower });
    for (const device of ['d3', 'd4']) slots.online(device);
    slots.submit('r3', 'd3', { servers: ['s2'], ...behindTower });
    expect(runsOf(only(slots.submit('r4', 'd4', behindTower), 'prepare'))).toEqual([]);
    expect(runsOf(only(slots.offline('d3'), 'prepare'))).toEqual(['r4']);
  });

  it('may get more room, or less, by new settings', () => {
    const slots = bench(1);
    slots.do({ type: 'in-charge', yes: true });
    const devices = [1, 2, 3];
    for (const n of devices) slots.online(`d${n}`);
    for (const n of devices) slots.submit(`r${n}`, `d${n}`, { servers: [`s${n}`], ...behindTower });
    const settings = {
      servers: ['s1', 's2', 's3'].map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null })),
      host_groups: new Map(),
    };
    slots.slots.configure({ ...settings, uplink_groups: new Map([['u', { capacity: 2 }]]) });
    expect(runsOf(only(slots.do({ type: 'tick' }), 'prepare'))).toEqual(['r2']);
    slots.slots.configure({ ...settings, uplink_groups: new Map() });
    slots.do({ type: 'cancel', run: 'r1', reason: 'enough' });
    expect(slots.slots.view().map(({ on_deck }) => on_deck?.run)).toEqual([undefined, 'r2', undefined]);
    expect(runsOf(only(slots.do({ type: 'cancel', run: 'r2', reason: 'enough' }), 'prepare'))).toEqual(['r3']);
  });

  it('has no room beside a lease found on deck', () => {
    const slots = bench();
    slots.slots.recover([found(row(1, 'r1', 'd1')), found(row(2, 'r2', 'd2', { granted: false }), behindTower)], 0);
    slots.do({ type: 'in-charge', yes: true });
    slots.online('d3');
    expect(only(slots.submit('r3', 'd3', { servers: ['s2'], ...behindTower }), 'prepare')).toEqual([]);
    slots.finished('r1', 'd1', 1);
    expect(runsOf(only(slots.finished('r2', 'd2', 2), 'prepare'))).toEqual(['r3']);
  });

  it('is not concerned with a lease found on deck of another group', () => {
    const slots = bench();
    slots.slots.recover([found(row(2, 'r2', 'd2', { granted: false }))], 0);
    slots.online('d3');
    slots.submit('r3', 'd3', { servers: ['s2'], ...behindTower });
    slots.do({ type: 'in-charge', yes: true });
    expect(runsOf(only(slots.ready('r3', 'd3'), 'start'))).toEqual(['r3']);
  });

  it('lets leases found on deck be asked in their turn, also when there are more of them than room', () => {
    const slots = bench();
    const rows = [row(1, 'r1', 'd1', { granted: false }), row(2, 'r2', 'd2', { granted: false, server: 's2' })];
    slots.slots.recover(
      rows.map((lease) => found(lease, behindTower)),
      0,
    );
    expect(runsOf(only(slots.do({ type: 'in-charge', yes: true }), 'start'))).toEqual(['r1', 'r2']);
  });
});
