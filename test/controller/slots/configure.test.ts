import { describe, expect, it } from 'vitest';
import type { SlotEffect } from '../../../controller/slots/events.ts';
import { Slots } from '../../../controller/slots/slots.ts';
import { DEADLINE_MS, found, only, REST_MS, request, row, SlotBench } from '../../helpers/slot-bench.ts';

const servers = (...names: string[]) =>
  names.map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null }));
const groups = { host_groups: new Map(), uplink_groups: new Map() };
const slotsOf = (...names: string[]) =>
  new Slots({ servers: servers(...names), ...groups, last_token: 0, random: () => 0.5 });

/** Takes a run to its lease. */
const begin = (slots: Slots, run: string, device: string, server: string) => {
  slots.handle({ type: 'in-charge', yes: true }, 0);
  slots.handle({ type: 'status', device, online: true, boot: 'b1' }, 0);
  slots.handle({ type: 'submit', request: request(run, device, { servers: [server] }) }, 0);
  return slots.handle({ type: 'ready', device, run, boot: 'b1', nonce: 'n1' }, 0);
};

it('a server that leaves the settings takes no new run, and is forgotten when its lease is settled', () => {
  const slots = slotsOf('s1', 's2');
  const [start] = only(begin(slots, 'r1', 'd1', 's1'), 'start');
  slots.configure({ servers: servers('s2'), ...groups });
  slots.handle({ type: 'status', device: 'd2', online: true, boot: 'b1' }, 1);
  expect(
    only(slots.handle({ type: 'submit', request: request('r2', 'd2', { servers: ['s1'] }) }, 1), 'prepare'),
  ).toEqual([]);
  expect(slots.view().map(({ server, state }) => [server, state])).toEqual([
    ['s1', 'leased'],
    ['s2', 'idle'],
  ]);
  slots.handle({ type: 'finished', device: 'd1', run: 'r1', token: start?.token ?? 0 }, 2);
  expect(slots.view().map(({ server }) => server)).toEqual(['s2']);
  expect(slots.queued('s1')).toBe(0);
});

it('a server that comes into the settings is used at once, and one that comes back is used again', () => {
  const slots = slotsOf('s1');
  slots.configure({ servers: [], ...groups });
  slots.configure({
    servers: [{ server: 's1', endpoint: 's1', host_group: 'g', max_bitrate: null }, ...servers('s2')],
    ...groups,
  });
  begin(slots, 'r1', 'd1', 's1');
  expect(slots.view().map(({ server, state }) => [server, state])).toEqual([
    ['s1', 'leased'],
    ['s2', 'idle'],
  ]);
});

it('says who holds which slot, and for how long yet', () => {
  const slots = slotsOf('s1', 's2');
  begin(slots, 'r1', 'd1', 's1');
  expect(slots.slotEffects(1000)).toEqual([
    {
      type: 'slot',
      server: 's1',
      lease: { device: 'd1', run: 'r1', token: 1, length_ms: 30_000, rest_ms: 50_000 },
      state: 'leased',
    },
    { type: 'slot', server: 's2', lease: null, state: 'idle' },
  ]);
});

const at = (endpoint: string, server: string) => ({ server, endpoint, host_group: null, max_bitrate: null });
const startsOf = (effects: SlotEffect[]) => only(effects, 'start').map(({ run }) => run);

describe('an address that changes hands', () => {
  /** One run has a slot on `old`, at H:5201. */
  const began = () => {
    const bench = new SlotBench({ servers: [at('H:5201', 'old')] });
    bench.begin('r1', 'd1', { servers: ['old'] });
    return bench;
  };

  it('a server that is renamed starts nobody under its new name while a run has the slot of the old one', () => {
    const bench = began();
    bench.slots.configure({ servers: [at('h.:5201', 'new')], ...groups });
    expect(startsOf(bench.begin('r2', 'd2', { servers: ['new'] }))).toEqual([]);
    expect(bench.slots.view()).toMatchObject([
      { server: 'old', state: 'leased' },
      { server: 'new', state: 'idle' },
    ]);
    expect(startsOf(bench.finished('r1', 'd1', 1))).toEqual(['r2']);
    expect(bench.slots.view()).toMatchObject([{ server: 'new', state: 'leased' }]);
  });

  it('nor while the old name rests', () => {
    const bench = began();
    bench.slots.configure({ servers: [at('H:5201', 'new')], ...groups });
    bench.wait(DEADLINE_MS);
    expect(startsOf(bench.begin('r2', 'd2', { servers: ['new'] }))).toEqual([]);
    bench.wait(REST_MS - 2000);
    bench.ready('r2', 'd2');
    expect(bench.states).toEqual(['resting', 'idle']);
    expect(startsOf(bench.wait(2000))).toEqual(['r2']);
  });

  it('two servers that swap their addresses wait for each other', () => {
    const bench = new SlotBench({ servers: [at('h:1', 's1'), at('h:2', 's2')] });
    bench.begin('r1', 'd1', { servers: ['s1'] });
    bench.begin('r2', 'd2', { servers: ['s2'] });
    bench.slots.configure({ servers: [at('h:2', 's1'), at('h:1', 's2')], ...groups });
    expect(startsOf(bench.begin('r3', 'd3', { servers: ['s1'] }))).toEqual([]);
    expect(startsOf(bench.finished('r1', 'd1', 1))).toEqual([]);
    const [start] = only(bench.finished('r2', 'd2', 2), 'start');
    expect(start).toMatchObject({ run: 'r3', server: 's1', endpoint: 'h:2' });
  });

  it('a start names the address that it named first, and who was prepared for the old one is prepared anew', () => {
    const bench = began();
    bench.online('d2');
    bench.submit('r2', 'd2', { servers: ['old'] });
    bench.ready('r2', 'd2');
    bench.slots.configure({ servers: [at('h:9', 'old')], ...groups });
    const effects = bench.wait(1000);
    expect(only(effects, 'start')).toMatchObject([{ run: 'r1', endpoint: 'H:5201' }]);
    expect(only(effects, 'cancel')).toMatchObject([{ run: 'r2', reason: 'the server has another address' }]);
    expect(only(effects, 'prepare')).toMatchObject([{ run: 'r2' }]);
    bench.ready('r2', 'd2');
    expect(only(bench.finished('r1', 'd1', 1), 'start')).toMatchObject([{ run: 'r2', endpoint: 'h:9' }]);
  });

  it('a rest is not shortened by a probe of the new address', () => {
    const bench = began();
    bench.slots.configure({ servers: [at('h:9', 'old')], ...groups });
    const effects = bench.wait(DEADLINE_MS + REST_MS - 1000);
    expect(only(effects, 'probe')).toEqual([]);
    bench.do({ type: 'probed', server: 'old', verdict: 'free' });
    bench.wait(999);
    expect(bench.states).toEqual(['resting']);
    bench.do({ type: 'stranger', server: 'old', rest_ms: 1 });
    bench.wait(1);
    expect(bench.states).toEqual(['idle']);
  });

  it('leases of one address that are found under two names are asked in the order of their tokens', () => {
    const bench = new SlotBench({ servers: [at('h:1', 'new')], in_charge: false, last_token: 3 });
    const [old, later] = [
      { server: 'old', endpoint: 'h:1' },
      { server: 'new', endpoint: 'h:1' },
    ];
    bench.slots.recover([found(row(2, 'r1', 'd1', old)), found(row(3, 'r2', 'd2', later))], 0);
    expect(bench.states).toEqual(['idle', 'leased']);
    bench.do({ type: 'in-charge', yes: true });
    expect(startsOf(bench.wait(2000))).not.toContain('r2');
    expect(startsOf(bench.finished('r1', 'd1', 2))).toEqual(['r2']);
  });

  it('leases that were on deck under two names are asked in that order, too', () => {
    const bench = new SlotBench({ servers: [at('h:1', 'new')], in_charge: false, last_token: 3 });
    const [old, later] = [
      { server: 'old', endpoint: 'h:1', granted: false },
      { server: 'new', endpoint: 'h:1', granted: false },
    ];
    bench.slots.recover([found(row(2, 'r1', 'd1', old)), found(row(3, 'r2', 'd2', later))], 0);
    expect(startsOf(bench.do({ type: 'in-charge', yes: true }))).toEqual(['r1']);
    bench.online('d3');
    bench.submit('r3', 'd3', { servers: ['new'] });
    expect(startsOf(bench.finished('r1', 'd1', 2))).toEqual(['r2']);
  });
});

describe('a run that is submitted again', () => {
  const servers_of = (...names: string[]) => ({ servers: servers(...names), ...groups });
  const preparesOf = (effects: SlotEffect[]) => only(effects, 'prepare').map(({ run, server }) => [run, server]);

  it('while it waits is looked at with its new request, and keeps its place', () => {
    const bench = new SlotBench({ servers: servers('s1') });
    for (const n of [0, 1, 2, 3]) bench.begin(`r${n}`, `d${n}`);
    bench.slots.configure(servers_of('s1', 's2'));
    expect(bench.slots.waiting()).toEqual(['r2', 'r3']);
    const requests = [3, 2, 1].map((n) => request(`r${n}`, `d${n}`, { servers: ['s2'] }));
    expect(preparesOf(bench.do({ type: 'submit-anew', requests }))).toEqual([['r2', 's2']]);
    expect(bench.slots.queued('s1')).toBe(0);
    expect(bench.slots.queued('s2')).toBe(1);
  });

  it('ends when none of its servers is ours any more', () => {
    const bench = new SlotBench({ servers: servers('s1') });
    for (const n of [0, 1, 2]) bench.begin(`r${n}`, `d${n}`);
    bench.slots.configure(servers_of('s2'));
    const ended = only(bench.submit('r2', 'd2', { servers: ['s1'] }), 'ended');
    expect(ended).toEqual([{ type: 'ended', run: 'r2', ending: { how: 'skipped', reason: 'no-server' } }]);
  });
});
