import { expect, test } from 'vitest';
import { BUILT_IN } from '../../../controller/config/built-in-alerts.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import { DAY_MS, rule, T0 } from './rules.ts';
import { DOWNLOAD, downloadOf, REFUSED, SettledFixture } from './settled-fixture.ts';

const LOW = rule({ breaches: 1, of: 1 });
const FAILED: AlertSettings = { ...(BUILT_IN.get('check-failed') ?? rule()), breaches: 1, of: 1, notify: ['noc'] };
const SERVER_DOWN: AlertSettings = { ...(BUILT_IN.get('server-down') ?? rule()), notify: ['noc'] };

test('the result that brings an alert about is stored with it, and its notice is ready for delivery', () => {
  const fixture = new SettledFixture([LOW]);
  fixture.run(1, downloadOf(18));
  expect(fixture.told).toMatchObject([{ state: 'firing', value: 18e6, run: 'r-1-ap-1', server: 'server-0' }]);
  expect(fixture.outcomes).toEqual([{ notices: 1, retests: [] }]);
  expect(fixture.store.records.get('r-1-ap-1')?.outcome).toBe('success');
  fixture.run(2, downloadOf(18));
  expect(fixture.outcomes).toHaveLength(1);
});

test('when the transaction fails, neither the result nor the alert is there, and both come with the next try', () => {
  const fixture = new SettledFixture([LOW]);
  fixture.order(1);
  fixture.grant(1, 1);
  const failing = () =>
    fixture.store.deferred(() => {
      fixture.result(1, 1, downloadOf(18));
      throw new Error('the power is gone');
    });
  expect(failing).toThrow('the power is gone');
  expect(fixture.list()).toEqual([]);
  expect(fixture.store.records.get('r-1-ap-1')?.measurements).toEqual([]);
  fixture.result(1, 1, downloadOf(18));
  expect(fixture.list()).toMatchObject([{ state: 'firing' }]);
  expect(new Set(fixture.told.map(({ id }) => id)).size).toBe(1);
});

test('the same result twice is evaluated once', () => {
  const fixture = new SettledFixture([rule()]);
  fixture.order(1);
  fixture.grant(1, 1);
  for (let times = 0; times < 3; times++) fixture.result(1, 1, downloadOf(18));
  expect(fixture.list()).toMatchObject([{ state: 'pending', recent: [{ run: 'r-1-ap-1' }] }]);
});

test('the result of an earlier run that comes after that of a newer one changes no state', () => {
  const fixture = new SettledFixture([LOW]);
  fixture.order(1);
  fixture.grant(1, 1);
  fixture.run(2, DOWNLOAD);
  fixture.result(1, 1, downloadOf(18));
  expect(fixture.told).toEqual([]);
  expect(fixture.store.records.get('r-1-ap-1')?.measurements).toHaveLength(1);
});

test('an attempt that is repeated elsewhere blames its server, and is no failure of its device', () => {
  const fixture = new SettledFixture([SERVER_DOWN, FAILED], 1);
  for (const [index, device] of ['ap-1', 'ap-2', 'ap-3'].entries()) {
    fixture.order(1, device);
    fixture.grant(1, index + 1, device);
    expect(fixture.result(1, index + 1, REFUSED, device).settled).toBe('retry');
  }
  expect(fixture.told.map((notice) => notice.rule)).toEqual(['server-down']);
  fixture.grant(1, 4, 'ap-1', 'server-1');
  fixture.result(1, 4, DOWNLOAD);
  expect(fixture.list().map((alert) => alert.rule)).toEqual(['server-down']);
});

test('an agent that refuses a run says nothing of its server', () => {
  const fixture = new SettledFixture([SERVER_DOWN, FAILED]);
  const missing = { class: 'local', message: 'iperf3 is missing', retryable: false } as const;
  const unresolved = { class: 'unreachable', message: 'unresolved', retryable: true } as const;
  fixture.settlement.attemptFailed(fixture.order(1, 'ap-4'), missing, 'server-0', T0 + DAY_MS);
  expect(fixture.told.map((notice) => notice.reason)).toEqual(['the run failed: local']);
  for (const device of ['ap-1', 'ap-2', 'ap-3']) {
    fixture.settlement.attemptFailed(fixture.order(1, device), unresolved, 'server-0', T0 + DAY_MS);
  }
  expect(fixture.told.map((notice) => notice.rule)).toEqual(Array(4).fill('check-failed'));
});

test('a run whose agent lost it fails without a word about the server', () => {
  const fixture = new SettledFixture([SERVER_DOWN, FAILED]);
  fixture.order(1);
  fixture.grant(1, 1);
  const lost = { class: 'link-lost', message: 'the agent lost the run', retryable: true } as const;
  fixture.settlement.attemptFailed('r-1-ap-1', lost, null, T0 + DAY_MS);
  fixture.settlement.attemptFailed('r-1-ap-1', lost, null, T0 + DAY_MS + 5000);
  expect(fixture.list().map((alert) => alert.rule)).toEqual(['check-failed']);
});

test('a run that was never heard of again fails, unless a newer one was fine', () => {
  const fixture = new SettledFixture([FAILED]);
  fixture.order(1);
  fixture.grant(1, 1);
  fixture.run(2, DOWNLOAD);
  fixture.settlement.end('r-1-ap-1', 'lost', 'no-result', T0 + 2 * DAY_MS);
  expect(fixture.told).toEqual([]);
  fixture.order(3);
  fixture.grant(3, 40);
  fixture.settlement.end('r-3-ap-1', 'lost', 'no-result', T0 + 4 * DAY_MS);
  expect(fixture.settlement.end('r-3-ap-1', 'lost', 'no-result', T0 + 4 * DAY_MS)).toBe(false);
  expect(fixture.told.map((notice) => notice.reason)).toEqual(['the run failed: nothing was heard of it']);
});

test('a run that failed without a reason says that it failed', () => {
  const fixture = new SettledFixture([FAILED]);
  const end = { outcome: 'failed', reason: null, time_ms: T0, zeros: [] } as const;
  const nothing = { measurements: [], reached: null, server: null, token: 1, at_ms: T0 };
  fixture.write({ run: 'r-1', device: 'ap-1', ...nothing, end: { ...end, zeros: [] } });
  expect(fixture.told[0]).toMatchObject({ reason: 'the run failed: failed', server: null });
});

test('late results after a restart make no server down', () => {
  const fixture = new SettledFixture([SERVER_DOWN], 1);
  for (const [index, device] of ['ap-1', 'ap-2', 'ap-3'].entries()) {
    fixture.order(1, device);
    fixture.grant(1, index + 1, device);
  }
  fixture.run(2, DOWNLOAD, 'ap-4');
  fixture.restart();
  for (const [index, device] of ['ap-1', 'ap-2', 'ap-3'].entries()) fixture.result(1, index + 1, REFUSED, device);
  expect(fixture.told).toEqual([]);
  expect(fixture.list()).toEqual([]);
});
