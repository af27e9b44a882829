import { expect, it } from 'vitest';
import { Slots } from '../../../controller/slots/slots.ts';
import { only, request } from '../../helpers/slot-bench.ts';

const servers = (...names: string[]) => names.map((server) => ({ server, host_group: null, max_bitrate: null }));
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
  slots.configure({ servers: [{ server: 's1', host_group: 'g', max_bitrate: null }, ...servers('s2')], ...groups });
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
