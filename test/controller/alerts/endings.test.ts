import { expect, test } from 'vitest';
import { BUILT_IN, EVERYTHING } from '../../../controller/config/built-in-alerts.ts';
import { DEFAULT_CHECK } from '../../../controller/config/check-section.ts';
import type { AlertSettings, OrganizationSettings } from '../../../controller/config/settings.ts';
import { AlertFixture } from './alert-fixture.ts';
import { DAY_MS, download, rule, T0, unreached, write } from './rules.ts';

const ONCE = rule({ breaches: 1, of: 1 });
const SERVER_DOWN: AlertSettings = { ...(BUILT_IN.get('server-down') ?? rule()), notify: ['noc'] };
const bad = (token: number, device = 'ap-1') => write(token, [download(1e6)], { device });
const reasonOf = (fixture: AlertFixture) => fixture.told.at(-1)?.reason;

/** With an alert that fires for ap-1. */
const firing = (alerts = [ONCE]) => {
  const fixture = new AlertFixture(alerts);
  expect(fixture.write(bad(1))).toEqual(['firing slow ap-1']);
  return fixture;
};

test('when its rule is gone a firing alert is resolved, for those who were told, and says so', () => {
  const fixture = firing();
  expect(fixture.reload({ alerts: [] }, T0 + DAY_MS)).toEqual(['resolved slow ap-1']);
  expect(fixture.told.at(-1)).toMatchObject({
    alert: fixture.told[0]?.alert,
    severity: 'warning',
    metric: 'tcp.download.bits_per_second',
    reason: 'the rule slow is not in force any more',
    value: null,
    run: null,
    server: null,
    at: '2026-11-23T02:00:00.000Z',
  });
  expect(fixture.list({ all: true })).toEqual([]);
  expect(fixture.reload({ alerts: [] }, T0 + DAY_MS)).toEqual([]);
});

test('when its rule means something else a firing alert is resolved, and it begins anew', () => {
  const fixture = firing();
  const changed = { ...ONCE, condition: { kind: 'below', threshold: 30e6, clear: 30e6 } } as const;
  expect(fixture.reload({ alerts: [changed] }, T0 + DAY_MS)).toEqual(['resolved slow ap-1']);
  expect(reasonOf(fixture)).toBe('the rule slow was changed');
  expect(fixture.write(write(2, [download(29e6)]))).toEqual(['firing slow ap-1']);
  expect(new Set(fixture.told.map(({ alert }) => alert)).size).toBe(2);
});

test('what a rule only does beside that may change while it fires; those are told of its end who were told of its beginning', () => {
  const fixture = firing();
  const changed: AlertSettings = { ...ONCE, severity: 'critical', notify: [], retest: true };
  expect(fixture.reload({ alerts: [changed] }, T0 + DAY_MS)).toEqual([]);
  expect(fixture.list()).toMatchObject([{ severity: 'warning' }]);
  expect(fixture.write(write(2, [download(30e6)]))).toEqual(['resolved slow ap-1']);
  expect(fixture.told.at(-1)).toMatchObject({ severity: 'warning' });
});

test('a receiver that is not in the configuration any more is told nothing', () => {
  const fixture = firing();
  fixture.reload({ receivers: new Map() }, T0 + DAY_MS);
  expect(fixture.write(write(2, [download(30e6)]))).toEqual([]);
  expect(fixture.list()).toEqual([]);
});

test('a pending or resolved alert of a changed rule is forgotten without a word', () => {
  const fixture = new AlertFixture([rule(), { ...ONCE, name: 'once' }]);
  expect(fixture.write(bad(1), write(2, [download(30e6)]))).toEqual(['firing once ap-1', 'resolved once ap-1']);
  const strict = { ...ONCE, name: 'once', condition: { kind: 'below', threshold: 31e6, clear: 31e6 } } as const;
  expect(fixture.reload({ alerts: [strict] }, T0 + DAY_MS)).toEqual([]);
  expect(fixture.list({ all: true })).toEqual([]);
});

test('what is known of a rule that was changed meanwhile does not count', () => {
  const fixture = new AlertFixture([ONCE]);
  fixture.write(bad(1), write(2, [download(30e6)]));
  fixture.reload({ alerts: [rule()] }, T0 + DAY_MS);
  fixture.write(bad(3));
  expect(fixture.list()).toMatchObject([{ state: 'pending', recent: [{ run: 'r-3' }] }]);
});

test('when its device is removed, its alerts end', () => {
  const fixture = firing();
  const remove = () => {
    fixture.alerts.removeDevice('ap-1', T0 + DAY_MS);
    fixture.store.devices.remove('ap-1');
  };
  expect(fixture.toldBy(remove)).toEqual(['resolved slow ap-1']);
  expect(reasonOf(fixture)).toBe('ap-1 was removed');
  expect(fixture.told.at(-1)?.organization).toBe('organization-0');
  expect(fixture.write(bad(2))).toEqual([]);
});

test('alerts of a device that is gone all the same end at the next look', () => {
  const fixture = firing();
  fixture.store.devices.remove('ap-1');
  expect(fixture.toldBy(() => fixture.alerts.tick(T0 + DAY_MS))).toEqual(['resolved slow ap-1']);
  expect(reasonOf(fixture)).toBe('ap-1 was removed');
});

test('when the check of its device is switched off, its alerts end; a run on demand may raise one all the same', () => {
  const fixture = firing();
  const organization = { organization: 'organization-0', servers: ['server-0'], check: DEFAULT_CHECK, tags: [] };
  const organizations = new Map([['organization-0', organization]]);
  expect(fixture.reload({ organizations }, T0 + DAY_MS)).toEqual(['resolved slow ap-1']);
  expect(reasonOf(fixture)).toBe('the check of ap-1 is off');
  expect(fixture.write(bad(2))).toEqual(['firing slow ap-1']);
  expect(fixture.toldBy(() => fixture.alerts.tick(T0 + DAY_MS))).toEqual([]);
});

const organizationWith = (changes: Partial<OrganizationSettings>) => {
  const check = { ...DEFAULT_CHECK, enabled: true };
  const organization = { organization: 'organization-0', servers: ['server-0'], check, tags: [], ...changes };
  return { organizations: new Map([['organization-0', organization]]) };
};
const [TCP_UPLOAD, TCP_DOWNLOAD] = DEFAULT_CHECK.tests.filter(({ protocol }) => protocol === 'tcp');

test('when the check does not measure its metric any more, an alert ends with a reload, or with the next value', () => {
  const uploadOnly = organizationWith({
    check: { ...DEFAULT_CHECK, enabled: true, tests: [TCP_UPLOAD].flatMap((one) => one ?? []) },
  });
  const fixture = firing();
  expect(fixture.reload(uploadOnly, T0 + DAY_MS)).toEqual(['resolved slow ap-1']);
  expect(reasonOf(fixture)).toBe('the check of ap-1 measures no tcp.download.bits_per_second any more');
  // The result of a run that was planned before.
  expect(fixture.write(bad(2))).toEqual(['firing slow ap-1']);
  expect(fixture.write(write(3, []))).toEqual(['resolved slow ap-1']);
});

test('a test both ways measures both', () => {
  const both = [TCP_DOWNLOAD].flatMap((one) => (one === undefined ? [] : { ...one, direction: 'bidir' as const }));
  const fixture = firing();
  expect(fixture.reload(organizationWith({ check: { ...DEFAULT_CHECK, enabled: true, tests: both } }), T0)).toEqual([]);
});

test('when its organization does not use the server of its rule any more, an alert ends', () => {
  const fixture = firing([{ ...ONCE, where: { ...EVERYTHING, server: 'server-0' } }]);
  expect(fixture.reload(organizationWith({ servers: ['server-0'] }), T0 + DAY_MS)).toEqual([]);
  expect(fixture.reload(organizationWith({ servers: ['server-1'] }), T0 + DAY_MS)).toEqual(['resolved slow ap-1']);
  expect(reasonOf(fixture)).toBe('organization-0 does not use server-0 any more');
});

test('an organization that is gone from the configuration has no check', () => {
  const fixture = firing();
  expect(fixture.reload({ organizations: new Map() }, T0 + DAY_MS)).toEqual(['resolved slow ap-1']);
});

test('an alert without any value for 62 days ends', () => {
  const fixture = firing();
  expect(fixture.toldBy(() => fixture.alerts.tick(T0 + 62 * DAY_MS))).toEqual([]);
  expect(fixture.toldBy(() => fixture.alerts.tick(T0 + 63 * DAY_MS))).toEqual(['resolved slow ap-1']);
  expect(reasonOf(fixture)).toBe('no value for 62 days');
});

test('an alert ends after 62 days without a value of its own, though other rules have theirs', () => {
  const above = { kind: 'above', threshold: 30, clear: 30 } as const;
  const fixture = firing([
    ONCE,
    rule({ name: 'rtt', metric: 'tcp.download.rtt_ms', condition: above, breaches: 1, of: 1 }),
  ]);
  fixture.write(write(2, [download(1e6, { rtt_ms: 99 })]));
  expect(fixture.write(bad(1440 * 40), bad(1440 * 62))).toEqual([]);
  expect(fixture.toldBy(() => fixture.alerts.tick(T0 + 63 * DAY_MS))).toEqual(['resolved rtt ap-1']);
  expect(reasonOf(fixture)).toBe('no value for 62 days');
});

test.each([
  ['is gone', { servers: new Map() }, 'server-0 was removed'],
  [
    'is used by nobody',
    {
      organizations: new Map([
        [
          'organization-0',
          {
            organization: 'organization-0',
            servers: ['server-1'],
            check: { ...DEFAULT_CHECK, enabled: true },
            tags: [],
          },
        ],
      ]),
    },
    'no organization uses server-0 any more',
  ],
  [
    'is used by no check any more',
    {
      organizations: new Map([
        ['organization-0', { organization: 'organization-0', servers: ['server-0'], check: DEFAULT_CHECK, tags: [] }],
      ]),
    },
    'the check of server-0 is off',
  ],
  ['has no rule', { alerts: [] }, 'the rule server-down is not in force any more'],
])('the alert of a server that %s ends', (_, changes, reason) => {
  const fixture = new AlertFixture([SERVER_DOWN]);
  fixture.write(...['ap-1', 'ap-2', 'ap-3'].map((device, index) => unreached(index + 1, { device })));
  expect(fixture.reload(changes, T0 + DAY_MS)).toEqual(['resolved server-down server-0']);
  expect(fixture.told.at(-1)).toMatchObject({ reason, organization: null, server: 'server-0' });
});

test('what is held because of a server without server-down is released when its time is up', () => {
  const fixture = new AlertFixture([SERVER_DOWN, ONCE]);
  fixture.write(unreached(1));
  fixture.reload({ alerts: [ONCE] }, T0 + 120_000);
  expect(fixture.toldBy(() => fixture.alerts.tick(T0 + DAY_MS))).toEqual(['firing slow ap-1']);
});

test('held alerts of a device that is gone, and of a rule that is gone, are let go of without a word', () => {
  const fixture = new AlertFixture([SERVER_DOWN, ONCE]);
  fixture.write(unreached(1), unreached(2, { device: 'ap-2' }));
  fixture.store.devices.remove('ap-1');
  fixture.settings = { ...fixture.settings, alerts: [SERVER_DOWN] };
  expect(fixture.write(write(3, [download(30e6)], { device: 'ap-3' }))).toEqual(['firing slow ap-2']);
  expect(fixture.reload({}, T0 + DAY_MS)).toEqual(['resolved slow ap-2']);
  expect(fixture.list()).toEqual([]);
});

test('nothing is looked at without rules', () => {
  const fixture = new AlertFixture([]);
  expect(fixture.write(bad(1))).toEqual([]);
  expect(fixture.list({ all: true })).toEqual([]);
});

test('a rule is about what fits all of its scope', () => {
  const scoped = (name: string, where: Partial<AlertSettings['where']>) => ({
    ...ONCE,
    name,
    where: { ...EVERYTHING, ...where },
  });
  const fixture = new AlertFixture(
    [
      ...[
        scoped('everything', {}),
        scoped('organization', { organization: 'organization-0' }),
        scoped('tag', { tag: 'roof' }),
      ],
      ...[
        scoped('device', { device: 'ap-9' }),
        scoped('server', { server: 'server-0' }),
        scoped('uplink', { uplink_group: 'tower' }),
      ],
      ...[scoped('other', { organization: 'other' }), scoped('both', { tag: 'roof', organization: 'other' })],
      ...[
        scoped('more', { device: 'ap-9', server: 'server-1' }),
        scoped('untagged', { tag: 'cellar', device: 'ap-9' }),
      ],
      scoped('elsewhere', { uplink_group: 'mast', device: 'ap-9' }),
    ],
    [],
  );
  fixture.add('ap-9', { tags: ['fast', 'roof'], uplink_group: 'tower' });
  const fired = fixture.write(bad(1, 'ap-9')).map((line) => line.split(' ')[1]);
  expect(fired.toSorted()).toEqual(['device', 'everything', 'organization', 'server', 'tag', 'uplink']);
  const shown = fixture.alerts.reading.explain('ap-9')?.map(({ rule: name }) => name);
  expect(shown).toEqual(['everything', 'organization', 'tag', 'device', 'server', 'uplink', 'more']);
});

test('the alert of a server that only runs on demand are measured against does not end because no check is on', () => {
  const fixture = new AlertFixture([SERVER_DOWN]);
  const organization = { organization: 'organization-0', servers: ['server-0'], check: DEFAULT_CHECK, tags: [] };
  fixture.settings = { ...fixture.settings, organizations: new Map([['organization-0', organization]]) };
  fixture.write(...['ap-1', 'ap-2', 'ap-3'].map((device, index) => unreached(index + 1, { device })));
  expect(fixture.toldBy(() => fixture.alerts.tick(T0 + DAY_MS))).toEqual([]);
});

test('an uplink group named null is not the same as none', () => {
  const fixture = new AlertFixture([{ ...ONCE, where: { ...EVERYTHING, uplink_group: 'null' } }], ['ap-1']);
  fixture.add('ap-9', { uplink_group: 'null' });
  expect(fixture.write(bad(1, 'ap-9'), bad(2, 'ap-1'))).toEqual(['firing slow ap-9']);
});

test('what was resolved is forgotten when its rule is gone, and after 62 days', () => {
  const fixture = new AlertFixture([ONCE, { ...ONCE, name: 'other' }]);
  fixture.write(bad(1), write(2, [download(30e6)]));
  const shown = () => fixture.list({ all: true }).map(({ rule: name }) => name);
  expect(fixture.reload({ alerts: [ONCE] }, T0 + DAY_MS)).toEqual([]);
  expect(shown()).toEqual(['slow']);
  fixture.alerts.tick(T0 + 62 * DAY_MS);
  expect(shown()).toEqual(['slow']);
  fixture.alerts.tick(T0 + 63 * DAY_MS);
  expect(shown()).toEqual([]);
});
