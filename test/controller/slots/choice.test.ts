import { describe, expect, it } from 'vitest';
import { found, only, row, SlotBench, TEN_SECONDS } from '../../helpers/slot-bench.ts';

const servers = (...names: string[]) =>
  names.map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null }));
const grouped = (...names: string[]) =>
  names.map((server) => ({ server, endpoint: server, host_group: 'h', max_bitrate: null }));
const both = { servers: ['s1', 's2'] };
const MINUTE = [{ ...TEN_SECONDS, duration_s: 60 }];

describe('a server with a limit', () => {
  it('gets the plan as it allows it: prepared, saved and granted', () => {
    const bench = new SlotBench({ servers: [{ server: 's1', endpoint: 's1', host_group: null, max_bitrate: 5e6 }] });
    bench.online('d1');
    const tests = [{ ...TEN_SECONDS, bitrate: 5e6 }];
    expect(only(bench.submit('r1', 'd1'), 'prepare')).toMatchObject([{ tests }]);
    const granted = bench.ready('r1', 'd1');
    expect(only(granted, 'save-lease')).toMatchObject([{ lease: { tests } }]);
    expect(only(granted, 'granted')).toMatchObject([{ lease: { tests } }]);
  });

  it('may get it by new settings', () => {
    const bench = new SlotBench();
    bench.slots.configure({
      servers: [{ server: 's1', endpoint: 's1', host_group: null, max_bitrate: 5e6 }],
      host_groups: new Map(),
      uplink_groups: new Map(),
    });
    bench.online('d1');
    expect(only(bench.submit('r1', 'd1'), 'prepare')).toMatchObject([{ tests: [{ bitrate: 5e6 }] }]);
  });
});

describe('of several open seats', () => {
  it('the idle one is taken before one whose run is over time', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2', 's3') });
    bench.begin('r1', 'd1');
    bench.started('r1', 'd1', 1);
    bench.wait(12_000);
    bench.online('d3');
    expect(only(bench.submit('r3', 'd3', both), 'prepare')).toMatchObject([{ server: 's2' }]);
  });

  it('one whose host group is full waits for the first of the group to end', () => {
    const bench = new SlotBench({
      servers: ['s1', 's2']
        .map((server) => ({ server, endpoint: server, host_group: 'h', max_bitrate: null }))
        .concat([{ server: 's3', endpoint: 's3', host_group: null as never, max_bitrate: null }]),
    });
    bench.begin('r1', 'd1', { tests: MINUTE });
    bench.begin('r3', 'd3', { servers: ['s3'] });
    bench.online('d2');
    expect(only(bench.submit('r2', 'd2', { servers: ['s2', 's3'] }), 'prepare')).toMatchObject([{ server: 's3' }]);
  });

  it('one whose host group waits for a lease found on disk is free any moment', () => {
    const bench = new SlotBench({
      servers: [...grouped('s1', 's2'), ...servers('s3')],
      in_charge: false,
      last_token: 1,
    });
    bench.slots.recover([found(row(1, 'r1', 'd1', { granted: false }))], 0);
    bench.do({ type: 'stranger', server: 's1', rest_ms: 60_000 });
    bench.do({ type: 'in-charge', yes: true });
    bench.begin('r3', 'd3', { servers: ['s3'] });
    bench.online('d2');
    expect(only(bench.submit('r2', 'd2', { servers: ['s3', 's2'] }), 'prepare')).toMatchObject([{ server: 's2' }]);
  });

  it('that open at once each goes to who can use it, and what a person asked for is not pushed aside', () => {
    const bench = new SlotBench({ servers: servers('s2', 's1'), in_charge: false });
    for (const device of ['d1', 'd2']) bench.online(device);
    bench.submit('r1', 'd1', both);
    bench.submit('r2', 'd2', { servers: ['s1'], on_demand: true });
    bench.do({ type: 'in-charge', yes: true });
    for (const device of ['d1', 'd2']) bench.online(device);
    expect(bench.slots.view().map(({ on_deck }) => on_deck?.run)).toEqual(['r1', 'r2']);
  });

  it('that open at once are taken in the order of the list', () => {
    const bench = new SlotBench({ servers: servers('s2', 's1') });
    bench.online('d1');
    for (const server of ['s1', 's2']) bench.do({ type: 'maintenance', server, under_way: true, next_at: 0 });
    bench.submit('r1', 'd1', both);
    bench.slots.configure({ servers: servers('s2', 's1'), host_groups: new Map(), uplink_groups: new Map() });
    const open = { under_way: false, next_at: Number.POSITIVE_INFINITY };
    bench.do({ type: 'suppressions', active: [{ scope: 'fleet' }] });
    for (const server of ['s2', 's1']) bench.do({ type: 'maintenance', server, ...open });
    expect(only(bench.do({ type: 'suppressions', active: [] }), 'prepare')).toMatchObject([{ server: 's1' }]);
  });
});

describe('a server that is idle while nobody waits for it', () => {
  /** r0 has s1 for 1 min, r1 has s2 for 10 s, r2 is on deck for s1 or s2, whichever is free first: s2. */
  const lone = (more: object = {}) => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.begin('r0', 'd0', { tests: MINUTE });
    bench.begin('r1', 'd1', { servers: ['s2'], tests: MINUTE });
    bench.online('d2');
    bench.submit('r2', 'd2', { ...both, ...more });
    return bench;
  };

  it('takes over a run that would wait on deck elsewhere for more than 3 s', () => {
    const bench = lone();
    expect(bench.slots.view()).toMatchObject([{ on_deck: { run: 'r2' } }, { on_deck: null }]);
    bench.ready('r2', 'd2');
    const out = bench.finished('r1', 'd1', 2);
    expect(only(out, 'drop-lease')).toContainEqual({ type: 'drop-lease', token: 3 });
    expect(only(out, 'prepare')).toMatchObject([{ run: 'r2', server: 's2' }]);
    expect(only(out, 'cancel')).toEqual([]);
    expect(only(bench.ready('r2', 'd2', 'n9'), 'start')).toMatchObject([{ run: 'r2', server: 's2', token: 4 }]);
  });

  it('leaves one alone that is to start sooner than that', () => {
    const bench = lone();
    bench.ready('r2', 'd2');
    bench.wait(57_000);
    expect(only(bench.finished('r1', 'd1', 2), 'prepare')).toEqual([]);
  });

  it('leaves one alone that may not use it', () => {
    const bench = lone({ servers: ['s1'] });
    expect(only(bench.finished('r1', 'd1', 2), 'prepare')).toEqual([]);
  });

  it('leaves one alone that would not be done before its maintenance', () => {
    const bench = lone();
    bench.do({ type: 'maintenance', server: 's2', under_way: false, next_at: 20_000 });
    expect(only(bench.finished('r1', 'd1', 2), 'prepare')).toEqual([]);
  });

  it('has who waits for it first, and the seat that is left goes to the next in line', () => {
    const bench = lone();
    for (const device of ['d3', 'd4']) bench.online(device);
    bench.submit('r3', 'd3', { servers: ['s2'] });
    bench.submit('r4', 'd4', { servers: ['s1'] });
    expect(only(bench.finished('r1', 'd1', 2), 'prepare')).toEqual([]);
    bench.do({ type: 'cancel', run: 'r3', reason: 'enough' });
    expect(bench.slots.view()).toMatchObject([{ on_deck: { run: 'r4' } }, { on_deck: { run: 'r2' } }]);
  });

  it('takes over what a person asked for first', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2', 's3') });
    for (const [index, server] of ['s1', 's2', 's3'].entries()) {
      bench.begin(`r${index}`, `d${index}`, { servers: [server], tests: MINUTE });
    }
    for (const device of ['d4', 'd5']) bench.online(device);
    bench.submit('r4', 'd4', { servers: ['s1', 's3'] });
    bench.submit('r5', 'd5', { servers: ['s2', 's3'], on_demand: true });
    expect(only(bench.finished('r2', 'd2', 3), 'prepare')).toMatchObject([{ run: 'r5', server: 's3' }]);
  });

  it('takes over a run whose own server turns out to rest', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.begin('r0', 'd0');
    bench.begin('r1', 'd1', { servers: ['s2'] });
    bench.started('r0', 'd0', 1);
    bench.started('r1', 'd1', 2);
    bench.wait(7500);
    bench.online('d2');
    bench.submit('r2', 'd2', both);
    bench.ready('r2', 'd2');
    expect(only(bench.finished('r1', 'd1', 2), 'prepare')).toEqual([]);
    bench.online('d0', 'd0-b2');
    expect(only(bench.declined('r0', 'd0', 1, 'd0-b2'), 'prepare')).toMatchObject([{ run: 'r2', server: 's2' }]);
  });

  it('leaves a lease found on disk where it is', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2'), in_charge: false, last_token: 2 });
    bench.slots.recover([found(row(1, 'r1', 'd1')), found(row(2, 'r2', 'd2', { granted: false }), both)], 0);
    expect(only(bench.do({ type: 'in-charge', yes: true }), 'prepare')).toEqual([]);
    bench.do({ type: 'stranger', server: 's1', rest_ms: 60_000 });
    expect(bench.slots.view()).toMatchObject([{ on_deck: { run: 'r2' } }, { on_deck: null }]);
  });

  it('takes over nobody while the uplink group has no room there, and somebody when it has', () => {
    const bench = new SlotBench({
      servers: servers('s1', 's2', 's3'),
      uplink_groups: new Map([['u', { capacity: 2 }]]),
    });
    const behind = { uplink_group: 'u', tests: MINUTE };
    bench.begin('r1', 'd1', { servers: ['s1'], ...behind });
    bench.begin('r3', 'd3', { servers: ['s3'], ...behind });
    bench.begin('r2', 'd2', { servers: ['s2'] });
    bench.online('d4');
    bench.submit('r4', 'd4', { servers: ['s1', 's2'], ...behind });
    expect(bench.slots.view()).toMatchObject([{ on_deck: { run: 'r4' } }, {}, {}]);
    expect(only(bench.finished('r2', 'd2', 3), 'prepare')).toEqual([]);
    expect(only(bench.finished('r3', 'd3', 2), 'prepare')).toMatchObject([{ run: 'r4', server: 's2' }]);
  });
});

describe('a server that leaves the settings', () => {
  it('loses who is on deck there to another one', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.online('d1');
    bench.submit('r1', 'd1', both);
    bench.slots.configure({ servers: servers('s2'), host_groups: new Map(), uplink_groups: new Map() });
    const out = bench.wait(0);
    expect(only(out, 'cancel')).toMatchObject([{ run: 'r1', reason: 'the server is not in use any more' }]);
    expect(only(out, 'prepare')).toMatchObject([{ run: 'r1', server: 's2' }]);
    expect(bench.slots.view().map(({ server }) => server)).toEqual(['s2']);
  });
});
