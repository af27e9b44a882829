import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, found, only, row, SlotBench, TEN_SECONDS } from '../../helpers/slot-bench.ts';

const servers = (...names: string[]) =>
  names.map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null }));
const NEVER = Number.POSITIVE_INFINITY;
const plan = (bench: SlotBench, next_at: number, under_way = false, server = 's1') =>
  bench.do({ type: 'maintenance', server, under_way, next_at });

describe('maintenance under way', () => {
  it('keeps everybody away until it is over', () => {
    const bench = new SlotBench();
    bench.online('d1');
    expect(only(plan(bench, NEVER, true), 'slot')).toMatchObject([{ state: 'maintenance' }]);
    expect(only(bench.submit('r1', 'd1'), 'prepare')).toEqual([]);
    expect(bench.states).toEqual(['maintenance']);
    expect(only(plan(bench, NEVER), 'prepare')).toMatchObject([{ run: 'r1' }]);
  });

  it('takes who is on deck off it, who keeps the place in the line', () => {
    const bench = new SlotBench();
    for (const device of ['d1', 'd2']) bench.online(device);
    bench.submit('r1', 'd1');
    bench.submit('r2', 'd2');
    expect(only(plan(bench, NEVER, true), 'cancel')).toMatchObject([{ run: 'r1' }]);
    expect(only(plan(bench, NEVER), 'prepare')).toMatchObject([{ run: 'r1' }]);
  });

  it('of all servers of a run until its window is over has it missed for that', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.online('d1');
    plan(bench, NEVER, true);
    plan(bench, 20_000, false, 's2');
    bench.submit('r1', 'd1', { servers: ['s1', 's2'], window_end: 30_000 });
    bench.submit('r2', 'd2', { servers: ['s1'], window_end: 30_000 });
    bench.online('d2');
    expect(only(bench.wait(30_000), 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'missed', reason: 'server-maintenance' } },
      { type: 'ended', run: 'r2', ending: { how: 'missed', reason: 'server-maintenance' } },
    ]);
  });

  it('does not keep a lease found on disk from being asked', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 2 });
    bench.slots.recover([found(row(2, 'r2', 'd2', { granted: false }))], 0);
    plan(bench, NEVER, true);
    expect(only(bench.do({ type: 'in-charge', yes: true }), 'start')).toMatchObject([{ token: 2 }]);
    bench.finished('r2', 'd2', 2);
    expect(bench.states).toEqual(['maintenance']);
  });

  it('of a server that is not ours is nobody’s business', () => {
    expect(plan(new SlotBench(), 0, true, 'gone')).toEqual([]);
  });
});

describe('maintenance to come', () => {
  it('keeps away who could still hold the slot then, and nobody else', () => {
    const bench = new SlotBench();
    plan(bench, DEADLINE_MS + 1);
    bench.online('d1');
    bench.online('d2');
    const long = [{ ...TEN_SECONDS, duration_s: 11 }];
    expect(only(bench.submit('r1', 'd1', { tests: long }), 'prepare')).toEqual([]);
    expect(only(bench.submit('r2', 'd2'), 'prepare')).toMatchObject([{ run: 'r2' }]);
  });

  it('takes who is on deck off it as soon as the lease could reach into it', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.submit('r1', 'd1');
    plan(bench, DEADLINE_MS + 3000);
    expect(only(bench.wait(2999), 'cancel')).toEqual([]);
    expect(only(bench.wait(1), 'cancel')).toMatchObject([{ run: 'r1', reason: 'the server goes into maintenance' }]);
    expect(only(bench.ready('r1', 'd1'), 'start')).toEqual([]);
  });

  it('is compared with when the server is expected to be free', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.begin('r1', 'd1', { servers: ['s1'] });
    bench.begin('r2', 'd2', { servers: ['s2'] });
    plan(bench, DEADLINE_MS + 9000);
    bench.online('d3');
    expect(only(bench.submit('r3', 'd3', { servers: ['s1', 's2'] }), 'prepare')).toMatchObject([{ server: 's2' }]);
  });

  it('lets a shorter run go first', () => {
    const bench = new SlotBench();
    for (const device of ['d1', 'd2']) bench.online(device);
    bench.begin('r0', 'd0');
    bench.submit('r1', 'd1', { tests: [{ ...TEN_SECONDS, duration_s: 60 }] });
    bench.submit('r2', 'd2');
    expect(bench.slots.view()).toMatchObject([{ on_deck: { run: 'r1' } }]);
    expect(only(plan(bench, 60_000), 'prepare')).toMatchObject([{ run: 'r2' }]);
  });
});
