import { describe, expect, it } from 'vitest';
import type { SuppressionScope } from '../../../controller/schedule/suppression.ts';
import { found, only, row, SlotBench } from '../../helpers/slot-bench.ts';

const FLEET: SuppressionScope = { scope: 'fleet' };
const S1: SuppressionScope = { scope: 'server', name: 's1' };
const servers = (...names: string[]) =>
  names.map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null }));
const suppress = (bench: SlotBench, ...active: SuppressionScope[]) => bench.do({ type: 'suppressions', active });

describe('a suppression', () => {
  it.each<[string, SuppressionScope]>([
    ['the fleet', FLEET],
    ['its organization', { scope: 'organization', name: 'default' }],
    ['its device', { scope: 'device', name: 'd1' }],
    ['one of its tags', { scope: 'tag', name: 'lte' }],
    ['its only server', S1],
  ])('of %s holds a run until it is lifted', (_, scope) => {
    const bench = new SlotBench();
    suppress(bench, scope);
    bench.online('d1');
    expect(only(bench.submit('r1', 'd1', { tags: ['lte'] }), 'prepare')).toEqual([]);
    expect(bench.slots.queued('s1')).toBe(1);
    bench.wait(1_000_000);
    expect(only(suppress(bench), 'prepare')).toMatchObject([{ run: 'r1' }]);
  });

  it('of something else holds nobody', () => {
    const bench = new SlotBench();
    suppress(bench, { scope: 'device', name: 'd2' }, { scope: 'tag', name: 'lte' });
    bench.online('d1');
    expect(only(bench.submit('r1', 'd1'), 'prepare')).toHaveLength(1);
  });

  it('that is not lifted before the window is over has the run skipped', () => {
    const bench = new SlotBench();
    bench.online('d1');
    suppress(bench, FLEET);
    bench.submit('r1', 'd1', { window_end: 5000 });
    expect(only(bench.wait(5000), 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'skipped', reason: 'suppressed' } },
    ]);
    bench.submit('r2', 'd1', { window_end: 4000 });
    expect(bench.slots.queued('s1')).toBe(0);
  });

  it('answers a person at once, whether the run is new, waits or is on deck', () => {
    const bench = new SlotBench();
    for (const device of ['d1', 'd2', 'd3']) bench.online(device);
    bench.submit('r1', 'd1', { on_demand: true });
    bench.submit('r2', 'd2', { on_demand: true });
    const out = suppress(bench, FLEET);
    expect(only(out, 'cancel')).toMatchObject([{ device: 'd1', run: 'r1', reason: 'suppressed' }]);
    const skipped = { how: 'skipped', reason: 'suppressed' };
    expect(only(out, 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: skipped },
      { type: 'ended', run: 'r2', ending: skipped },
    ]);
    expect(only(bench.submit('r3', 'd3', { on_demand: true }), 'ended')).toMatchObject([
      { run: 'r3', ending: skipped },
    ]);
  });

  it('takes who is on deck off it, and lets who has the slot go on', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.online('d2');
    bench.submit('r2', 'd2');
    bench.ready('r2', 'd2');
    const out = suppress(bench, FLEET);
    expect(only(out, 'cancel')).toMatchObject([{ device: 'd2', run: 'r2' }]);
    expect(only(out, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 2 }]);
    expect(bench.slots.view()).toMatchObject([{ state: 'leased', run: 'r1', on_deck: null }]);
    expect(only(bench.finished('r1', 'd1', 1), 'released')).toHaveLength(1);
    expect(only(suppress(bench), 'prepare')).toMatchObject([{ run: 'r2' }]);
  });

  it('gives a run its place in the line back, and its device a minute to come', () => {
    const bench = new SlotBench();
    for (const device of ['d1', 'd2', 'd3']) bench.online(device);
    bench.begin('r0', 'd0');
    for (const n of [1, 2, 3]) bench.submit(`r${n}`, `d${n}`);
    suppress(bench, FLEET);
    bench.offline('d2');
    expect(only(bench.wait(500_000), 'ended').map(({ run }) => run)).toEqual(['r0']);
    expect(only(suppress(bench), 'prepare')).toMatchObject([{ run: 'r1' }]);
    const endOf2 = (ms: number) => only(bench.wait(ms), 'ended').filter(({ run }) => run === 'r2');
    expect(endOf2(59_999)).toEqual([]);
    expect(endOf2(1)).toMatchObject([{ ending: { how: 'skipped', reason: 'device-offline' } }]);
  });

  it('that is said again changes nothing', () => {
    const bench = new SlotBench();
    suppress(bench, FLEET, S1);
    expect(suppress(bench, FLEET, S1)).toEqual([]);
  });

  it('does not touch a lease found on disk, which may be running', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 2 });
    bench.slots.recover([found(row(1, 'r1', 'd1')), found(row(2, 'r2', 'd2', { granted: false }))], 0);
    suppress(bench, FLEET, S1);
    bench.do({ type: 'in-charge', yes: true });
    expect(only(bench.finished('r1', 'd1', 1), 'start')).toMatchObject([{ token: 2 }]);
  });
});

describe('a suppressed server', () => {
  it('is shown, takes nobody, and its runs go elsewhere', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.online('d1');
    bench.submit('r1', 'd1', { servers: ['s1', 's2'] });
    const out = suppress(bench, S1);
    expect(only(out, 'slot')).toEqual([{ type: 'slot', server: 's1', lease: null, state: 'suppressed' }]);
    expect(only(out, 'cancel')).toMatchObject([{ run: 'r1', reason: 'the server is suppressed' }]);
    expect(only(out, 'prepare')).toMatchObject([{ run: 'r1', server: 's2' }]);
    expect(bench.states).toEqual(['suppressed', 'idle']);
    expect(only(suppress(bench), 'slot')).toMatchObject([{ server: 's1', state: 'idle' }]);
  });

  it('that leaves the settings does not hold who may use another one', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.online('d1');
    suppress(bench, { scope: 'server', name: 's2' });
    bench.slots.configure({ servers: servers('s2', 's3'), host_groups: new Map(), uplink_groups: new Map() });
    expect(bench.slots.wake(bench.now)).toBe(bench.now);
    expect(only(bench.submit('r1', 'd1', { servers: ['s2', 's3'] }), 'prepare')).toMatchObject([{ server: 's3' }]);
  });
});
