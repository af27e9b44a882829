import { expect, test } from 'vitest';
import { ruleInWords } from '../../../controller/alerts/judge.ts';
import { BUILT_IN } from '../../../controller/config/built-in-alerts.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import { AlertFixture } from './alert-fixture.ts';
import { DAY_MS, download, rule, T0, write } from './rules.ts';

const RULE: AlertSettings = { ...(BUILT_IN.get('host-key-changed') ?? rule()), notify: ['noc'] };

/** A run that was skipped, as its device shows another key. */
const changed = (token: number) =>
  write(token, [], {
    ...{ server: null, reached: null },
    end: { outcome: 'skipped', reason: 'host-key-changed', time_ms: T0, zeros: [] },
  });

test('a changed host key is told at once, and once, until the device is measured again', () => {
  const fixture = new AlertFixture([RULE]);
  expect(fixture.write(changed(1))).toEqual(['firing host-key-changed ap-1']);
  expect(fixture.told).toMatchObject([
    { severity: 'critical', reason: 'its SSH server shows another host key than the one that is pinned' },
  ]);
  expect(fixture.write(changed(2))).toEqual([]);
  expect(fixture.write(write(3, [download(30e6)]))).toEqual(['resolved host-key-changed ap-1']);
  expect(fixture.told.at(-1)).toMatchObject({ reason: 'it was measured again' });
});

test('the alert ends when the new key is trusted, and comes again with the next one; others go on', () => {
  const slow = rule({ breaches: 1, of: 1 });
  const fixture = new AlertFixture([RULE, slow]);
  fixture.write(write(1, [download(1e6)]), changed(2));
  const trust = () => fixture.alerts.trustDevice('ap-1', T0 + DAY_MS);
  expect(fixture.toldBy(trust)).toEqual(['resolved host-key-changed ap-1']);
  expect(fixture.told.at(-1)).toMatchObject({ reason: 'its host key was trusted' });
  expect(fixture.list()).toMatchObject([{ rule: 'slow', state: 'firing' }]);
  expect(trust()).toEqual({ notices: 0, retests: [] });
  expect(fixture.alerts.trustDevice('nobody', T0)).toEqual({ notices: 0, retests: [] });
  expect(fixture.write(changed(3))).toEqual(['firing host-key-changed ap-1']);
});

test('the rule says in words what it is about, and has no values to show', () => {
  const fixture = new AlertFixture([RULE]);
  expect(ruleInWords(RULE)).toBe('a device whose SSH server shows another host key');
  fixture.write(changed(1));
  expect(fixture.alerts.reading.explain('ap-1')).toMatchObject([{ state: 'firing', last_values: [] }]);
});
