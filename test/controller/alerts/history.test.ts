import { expect, test } from 'vitest';
import { Alerts } from '../../../controller/alerts/alerts.ts';
import { BUILT_IN, EVERYTHING } from '../../../controller/config/built-in-alerts.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import { DAY_MS, rule, T0 } from './rules.ts';
import { DOWNLOAD, downloadOf, REFUSED, SettledFixture } from './settled-fixture.ts';

const DROP = rule({
  ...{ name: 'drop', breaches: 1, of: 1 },
  condition: { kind: 'drop', percent: 40, clear: 20, over_ms: 7 * DAY_MS },
});
const LOW = rule({ breaches: 1, of: 1 });
const CHECK_FAILED = { ...(BUILT_IN.get('check-failed') ?? rule()), notify: ['noc'] };
const SERVER_DOWN: AlertSettings = { ...(BUILT_IN.get('server-down') ?? rule()), notify: ['noc'] };

const days = (fixture: SettledFixture, first: number, ...mbits: number[]) =>
  fixture.toldBy(() => {
    for (const [index, mbit] of mbits.entries()) fixture.run(first + index, downloadOf(mbit));
  });

test('a drop is measured by the median of the days before, and ends near it', () => {
  const fixture = new SettledFixture([DROP]);
  expect(days(fixture, 1, 50, 52, 48, 20, 51, 50)).toEqual([]);
  expect(days(fixture, 7, 29)).toEqual(['firing drop ap-1']);
  expect(fixture.told[0]?.reason).toBe('29 Mbit/s is 42% under 50 Mbit/s, the median of 7 days, more than 40%');
  expect(days(fixture, 8, 39)).toEqual([]);
  expect(fixture.list()[0]?.reason).toContain(', and not yet back within 20%');
  expect(days(fixture, 9, 60)).toEqual(['resolved drop ap-1']);
  expect(fixture.told[1]?.reason).toMatch(/^60 Mbit\/s is \d+% over [\d.]+ Mbit\/s, the median of 7 days$/);
});

test('fewer than five values make no median, and a device that was dead for long is measured by the last one', () => {
  const fixture = new SettledFixture([DROP]);
  expect(days(fixture, 1, 50, 50, 50, 50)).toEqual([]);
  expect(days(fixture, 5, 1)).toEqual([]);
  expect(days(fixture, 6, 50)).toEqual([]);
  const dead = fixture.toldBy(() => {
    for (let day = 7; day < 20; day++) fixture.run(day, REFUSED);
  });
  expect(dead).toEqual(['firing drop ap-1']);
  expect(fixture.list()[0]?.recent).toMatchObject([{ value: 0 }]);
  expect(days(fixture, 20, 50)).toEqual(['resolved drop ap-1']);
});

test('why a rule is quiet is told by its last values: they may be bad, and from before it was in force', () => {
  const milan = { ...rule().where, server: 'milan-1' };
  const fixture = new SettledFixture([]);
  days(fixture, 1, 50, 50, 50, 50, 50, 50, 18);
  const explained = (changes: Partial<AlertSettings>) => {
    const settings = { ...fixture.settings, alerts: [{ ...LOW, ...changes }] };
    return new Alerts({ settings: () => settings, store: fixture.store }).reading.explain('ap-1')?.[0]?.reason;
  };
  const before = 'the bad ones among the last values came before the rule was in force';
  expect(explained({})).toBe(before);
  expect(explained({ retest: true })).toBe(`${before}, or a confirming run refuted them`);
  expect(explained({ condition: DROP.condition })).toBe(before);
  expect(explained({ where: milan })).toBe('no value with milan-1 among the last');
  expect(explained({ condition: { kind: 'below', threshold: 10e6, clear: 10e6 } })).toBe('the last value is not bad');
  const above = { kind: 'above', threshold: 60e6, clear: 60e6 } as const;
  expect(explained({ condition: above, breaches: 2, of: 3 })).toBe('none of the last 3 values is bad');
});

test('a rule is explained by its words, its state and the last values of its metric, newest first', () => {
  const fixture = new SettledFixture([rule(), CHECK_FAILED, SERVER_DOWN, DROP]);
  expect(fixture.alerts.reading.explain('ap-9')).toBe(null);
  expect(fixture.alerts.reading.explain('ap-1')?.map(({ state, reason }) => [state, reason])).toEqual([
    ['ok', 'no value yet'],
    ['ok', 'no value yet'],
    ['ok', 'no value yet'],
  ]);
  days(fixture, 1, 30, 18);
  fixture.run(3, REFUSED);
  fixture.order(4);
  fixture.settlement.end('r-4-ap-1', 'skipped', 'offline', T0 + 4 * DAY_MS);
  const [slow, failed, drop] = fixture.alerts.reading.explain('ap-1') ?? [];
  expect(slow).toMatchObject({
    rule: 'slow',
    state: 'pending',
    severity: 'warning',
    rule_in_words: 'tcp.download.bits_per_second below 20 Mbit/s in 2 of 3 runs, clear at 25 Mbit/s',
    reason: '0 bit/s is below 20 Mbit/s in 2 of 3 runs; server-0 may be down',
    hold: { why: 'server', server: 'server-0' },
    recent: [
      { value: 18e6, run: 'r-2-ap-1' },
      { value: 0, run: 'r-3-ap-1' },
    ],
  });
  expect(slow?.last_values).toEqual([
    { value: 0, time_ms: T0 + 3 * DAY_MS, run: 'r-3-ap-1', server: 'server-0' },
    { value: 18e6, time_ms: T0 + 2 * DAY_MS + 5, run: 'r-2-ap-1', server: 'server-0' },
    { value: 30e6, time_ms: T0 + DAY_MS + 5, run: 'r-1-ap-1', server: 'server-0' },
  ]);
  expect(failed).toMatchObject({ state: 'pending', rule_in_words: 'run.success below 1 in 2 of 2 runs' });
  expect(failed?.last_values.map(({ value }) => value)).toEqual([0, 1, 1]);
  expect(drop).toMatchObject({
    state: 'ok',
    reason: 'too few values for a median above 0',
    rule_in_words: 'tcp.download.bits_per_second more than 40% under the median of 7 days, clear within 20%',
  });
});

test('a test that was never measured has no value but its throughput', () => {
  const rtt = rule({ metric: 'tcp.download.rtt_ms', condition: { kind: 'above', threshold: 1, clear: 1 } });
  const retransmits = rule({ ...rtt, name: 'lost', metric: 'tcp.download.retransmits' });
  const fixture = new SettledFixture([rtt, retransmits]);
  fixture.run(1, REFUSED);
  expect(fixture.alerts.reading.explain('ap-1')?.map(({ last_values }) => last_values)).toEqual([[], []]);
});

test('what fires can be told again to a receiver that was told, and to no other', () => {
  const fixture = new SettledFixture([LOW, { ...SERVER_DOWN, breaches: 1, of: 1 }]);
  days(fixture, 1, 18);
  fixture.run(2, REFUSED, 'ap-2');
  expect(fixture.firing('noc')).toEqual(fixture.told);
  expect(fixture.told).toHaveLength(2);
  expect(fixture.firing('other')).toEqual([]);
  days(fixture, 3, 17);
  expect(fixture.firing('noc')[0]).toEqual({
    ...fixture.told[0],
    value: 17e6,
    reason: '17 Mbit/s is below 20 Mbit/s',
    run: 'r-3-ap-1',
  });
});

test('a replayed rule shows when it would have fired, and why', () => {
  const fixture = new SettledFixture([]);
  days(fixture, 1, 18, 30, 18, 18, 30, 30, 18);
  fixture.run(1, DOWNLOAD, 'ap-2');
  fixture.run(8, REFUSED);
  const replay = (settings: AlertSettings, since_ms = 0) => [...fixture.alerts.reading.replay(settings, since_ms)];
  const [mine, other, ...rest] = replay(rule({ retest: true }));
  expect(mine).toEqual([
    {
      subject: { kind: 'device', name: 'ap-1' },
      firing_ms: T0 + 3 * DAY_MS + 5,
      firing_reason: '18 Mbit/s is below 20 Mbit/s in 2 of 3 runs',
      run: 'r-3-ap-1',
      resolved_ms: T0 + 6 * DAY_MS + 5,
      resolved_reason: '30 Mbit/s is at least 25 Mbit/s',
    },
    {
      subject: { kind: 'device', name: 'ap-1' },
      firing_ms: T0 + 8 * DAY_MS,
      firing_reason: '0 bit/s is below 20 Mbit/s in 2 of 3 runs',
      run: 'r-8-ap-1',
      resolved_ms: null,
      resolved_reason: null,
    },
  ]);
  expect([other, ...rest]).toEqual([[], [], []]);
  expect(replay(rule(), T0 + 5 * DAY_MS)[0]).toHaveLength(1);
  expect(replay(rule({ where: { ...EVERYTHING, server: 'server-1' } })).flat()).toEqual([]);
  expect(replay(rule({ where: { ...EVERYTHING, device: 'ap-2' } }))).toEqual([[]]);
});

test('a replayed drop looks at the days before its time, as it would have then', () => {
  const fixture = new SettledFixture([]);
  days(fixture, 1, 50, 50, 50, 50, 50, 20, 50, 21);
  const fired = (since_ms: number) => [...fixture.alerts.reading.replay(DROP, since_ms)].flat().map(({ run }) => run);
  expect(fired(0)).toEqual(['r-6-ap-1', 'r-8-ap-1']);
  expect(fired(T0 + 7 * DAY_MS)).toEqual(['r-8-ap-1']);
});

test('the built-in rules can be replayed too', () => {
  const fixture = new SettledFixture([]);
  for (const device of ['ap-1', 'ap-2', 'ap-3']) fixture.run(1, REFUSED, device);
  fixture.run(2, DOWNLOAD);
  const servers = [...fixture.alerts.reading.replay(SERVER_DOWN, 0)];
  expect(servers).toMatchObject([
    [{ subject: { kind: 'server', name: 'server-0' }, run: 'r-1-ap-3', resolved_reason: 'ap-1 reached server-0' }],
    [],
    [],
  ]);
  const one = { ...SERVER_DOWN, where: { ...EVERYTHING, server: 'server-1' } };
  expect([...fixture.alerts.reading.replay(one, 0)]).toEqual([[]]);
  const failed = [...fixture.alerts.reading.replay({ ...CHECK_FAILED, breaches: 1, of: 1 }, 0)];
  expect(failed[0]).toMatchObject([
    { firing_reason: 'the run failed: unreachable', resolved_reason: 'the run succeeded' },
  ]);
});

test('what says nothing of a server is no part of its replay', () => {
  const fixture = new SettledFixture([]);
  for (const device of ['ap-1', 'ap-2', 'ap-3']) fixture.run(1, { ...REFUSED, stdout: 'iperf3: not found' }, device);
  expect([...fixture.alerts.reading.replay(SERVER_DOWN, 0)].flat()).toEqual([]);
});
