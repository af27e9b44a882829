import { expect, test } from 'vitest';
import type { NightMark } from '../../../controller/schedule/night.ts';
import { openStore } from './open-store.ts';
import { newRun, T0 } from './samples.ts';

const mark = (organization: string, start_ms = T0, schedule = '0 2 * * *'): NightMark => ({
  ...{ organization, schedule, timezone: 'UTC', start_ms },
});
const night = { origin: 'schedule', night: 'acme/1' } as const;

test('a night and its runs are written together, and the last night of each organization and timetable is remembered', () => {
  const { nights, runs } = openStore();
  expect(nights.history()).toEqual([]);
  expect(nights.plan([newRun('r-1', night)], { planned: [mark('acme')], gone: [] })).toEqual(['r-1']);
  expect(nights.plan([newRun('r-2', night)], { planned: [mark('other')], gone: [] })).toEqual([]);
  nights.plan([], { planned: [mark('acme', T0 + 5), mark('acme', T0, '0 3 * * *')], gone: [] });
  expect(nights.history()).toEqual([mark('acme', T0 + 5), mark('acme', T0, '0 3 * * *'), mark('other')]);
  expect(runs.open().map(({ run }) => run)).toEqual(['r-1']);
});

test('a timetable that is gone is forgotten, also when it comes back at once', () => {
  const { nights } = openStore();
  nights.plan([], { planned: [mark('acme'), mark('other')], gone: [] });
  nights.plan([], { planned: [mark('other', T0 + 1)], gone: [mark('acme'), mark('other')] });
  expect(nights.history()).toEqual([mark('other', T0 + 1)]);
});

test('runs that can not be added leave the night unplanned', () => {
  const { nights } = openStore();
  const broken = { ...newRun('r-1'), requested_at_ms: Number.NaN };
  expect(() => nights.plan([broken], { planned: [mark('acme')], gone: [] })).toThrow();
  expect(nights.history()).toEqual([]);
});

test('devices come in order of their names, and each organization knows how many it has', () => {
  const { nights, devices } = openStore();
  const device = (name: string, organization: string, ...tags: string[]) =>
    devices.add({ device: name, organization, tags, uplink_group: null }, 'hash');
  device('b', 'acme', 'lte', 'roof');
  device('c', 'gone');
  device('a', 'acme');
  expect(nights.devices()).toEqual([
    { device: 'a', organization: 'acme', tags: [] },
    { device: 'b', organization: 'acme', tags: ['lte', 'roof'] },
    { device: 'c', organization: 'gone', tags: [] },
  ]);
  expect(nights.population()).toEqual(
    new Map([
      ['acme', 2],
      ['gone', 1],
    ]),
  );
});
