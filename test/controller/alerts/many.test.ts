import { expect, test } from 'vitest';
import { BUILT_IN } from '../../../controller/config/built-in-alerts.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import { AlertFixture } from './alert-fixture.ts';
import { DAY_MS, download, rule, T0, unreached, write } from './rules.ts';

const COUNT = 450;
const ONCE = rule({ breaches: 1, of: 1 });
const DEVICES = Array.from({ length: COUNT }, (_, index) => `ap-${1000 + index}`);
const CHANGED = { ...ONCE, condition: { kind: 'below', threshold: 30e6, clear: 30e6 } } as const;

/** Every device has an alert that fires. */
const manyFiring = (others: AlertSettings[] = []) => {
  const fixture = new AlertFixture([ONCE, ...others], DEVICES);
  fixture.store.atomically(() => {
    for (const [index, device] of DEVICES.entries()) fixture.evaluate(write(index + 1, [download(1e6)], { device }));
  });
  expect(fixture.told).toHaveLength(COUNT);
  return fixture;
};

test('of many alerts two hundred subjects are read at a time, in order, each alert once', () => {
  const { alerts, store, told } = manyFiring();
  const pieces = [...alerts.reading.list()];
  expect(pieces.map(({ length }) => length)).toEqual([200, 200, 50]);
  expect(pieces.flat().map(({ subject }) => subject.name)).toEqual(DEVICES);
  const firing = alerts.reading.firing('noc');
  expect(firing.next().value).toEqual(told.slice(0, 200));
  for (const name of DEVICES.slice(200)) store.alertStates.remove({ kind: 'device', name });
  expect([...firing].flat()).toEqual([]);
});

test('a change of the rules ends many alerts a piece at a time, and says how long there are more', () => {
  const fixture = manyFiring();
  fixture.settings = { ...fixture.settings, alerts: [] };
  const { alerts } = fixture;
  const looked = [alerts.configure(T0 + DAY_MS), alerts.tick(T0 + DAY_MS), alerts.tick(T0 + DAY_MS)];
  expect(looked.map(({ notices, more }) => [notices, more])).toEqual([
    [200, true],
    [200, true],
    [50, false],
  ]);
  expect(fixture.list({ all: true })).toEqual([]);
});

test('a value that comes before its alert had its turn finds it ended, and begins a new one', () => {
  const fixture = manyFiring();
  fixture.reload({ alerts: [CHANGED] }, T0 + DAY_MS);
  const [device = ''] = DEVICES.slice(-1);
  expect(fixture.write(write(2000, [download(29e6)], { device }))).toEqual([
    `resolved slow ${device}`,
    `firing slow ${device}`,
  ]);
  expect(fixture.told.at(-2)?.reason).toBe('the rule slow was changed');
});

test('a server whose rule has changed begins anew as well', () => {
  const down = { ...(BUILT_IN.get('server-down') ?? ONCE), notify: ['noc'], breaches: 1, of: 1 };
  const fixture = manyFiring([down]);
  expect(fixture.write(unreached(1000, { device: 'ap-1000' }))).toEqual(['firing server-down server-0']);
  fixture.reload({ alerts: [{ ...down, breaches: 2, of: 2 }, CHANGED] }, T0 + DAY_MS);
  const told = fixture.write(unreached(2000, { device: 'ap-1001' }));
  expect(told).toContain('resolved server-down server-0');
});
