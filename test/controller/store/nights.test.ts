import { expect, test } from 'vitest';
import type { NightMark } from '../../../controller/schedule/night.ts';
import { openStore } from './open-store.ts';
import { T0 } from './samples.ts';

const mark = (organization: string, start_ms = T0, schedule = '0 2 * * *'): NightMark => ({
  ...{ organization, schedule, timezone: 'UTC', start_ms },
});

test('up to when the nights of each organization and timetable are planned is remembered', () => {
  const { nights } = openStore();
  expect(nights.history()).toEqual([]);
  nights.mark({ planned: [mark('acme'), mark('other')], gone: [] });
  nights.mark({ planned: [mark('acme', T0 + 5), mark('acme', T0, '0 3 * * *')], gone: [] });
  expect(nights.history()).toEqual([mark('acme', T0 + 5), mark('acme', T0, '0 3 * * *'), mark('other')]);
});

test('a timetable that is gone is forgotten, also when it comes back at once', () => {
  const { nights } = openStore();
  nights.mark({ planned: [mark('acme'), mark('other')], gone: [] });
  nights.mark({ planned: [mark('other', T0 + 1)], gone: [mark('acme'), mark('other')] });
  expect(nights.history()).toEqual([mark('other', T0 + 1)]);
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
