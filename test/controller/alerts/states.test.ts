import { describe, expect, test } from 'vitest';
import { type AlertState, move } from '../../../controller/alerts/transitions.ts';
import { AlertFixture } from './alert-fixture.ts';
import { DAY_MS, download, MINUTE_MS, NOTHING, rule, T0, unreached, write } from './rules.ts';

/** Downloads in Mbit/s, one run each. */
const runs = (...mbits: number[]) => mbits.map((mbit, index) => write(index + 1, [download(mbit * 1e6)]));

test('only the steps of the table can be made', () => {
  const states: AlertState[] = ['ok', 'pending', 'firing', 'resolved'];
  const possible = states.flatMap((from) =>
    states.flatMap((to) => {
      try {
        return `${from} to ${move(from, to)}`;
      } catch (error) {
        expect(String(error)).toContain(`an alert can't go from ${from} to ${to}`);
        return [];
      }
    }),
  );
  expect(possible).toEqual([
    'ok to pending',
    'pending to ok',
    'pending to firing',
    'firing to resolved',
    'resolved to pending',
  ]);
});

test('2 of 3 bad runs fire, and a run at clear resolves; all of it is told once, in words', () => {
  const fixture = new AlertFixture([rule()]);
  expect(fixture.write(...runs(18.2))).toEqual([]);
  expect(fixture.list()).toMatchObject([
    { rule: 'slow', state: 'pending', alert: null, reason: '18.2 Mbit/s is below 20 Mbit/s in 1 of 3 runs' },
  ]);
  expect(fixture.write(...runs(18.2, 30, 17.9, 30, 30).slice(1))).toEqual(['firing slow ap-1', 'resolved slow ap-1']);
  const [firing, resolved] = fixture.told;
  expect(firing).toEqual({
    id: `${firing?.alert}.firing`,
    alert: `slow.ap-1.3-${T0 + 3 * MINUTE_MS + 30_000}-1`,
    rule: 'slow',
    severity: 'warning',
    state: 'firing',
    subject: { kind: 'device', name: 'ap-1' },
    organization: 'organization-0',
    server: 'server-0',
    metric: 'tcp.download.bits_per_second',
    value: 17.9e6,
    reason: '17.9 Mbit/s is below 20 Mbit/s in 2 of 3 runs',
    run: 'r-3',
    firing_since: '2026-11-22T02:03:30.000Z',
    at: '2026-11-22T02:03:30.000Z',
  });
  expect(resolved).toMatchObject({
    alert: firing?.alert,
    state: 'resolved',
    value: 30e6,
    reason: '30 Mbit/s is at least 25 Mbit/s',
    firing_since: '2026-11-22T02:03:30.000Z',
    at: '2026-11-22T02:04:30.000Z',
  });
  expect(fixture.list()).toEqual([]);
  expect(fixture.list({ all: true })).toMatchObject([{ state: 'resolved', alert: firing?.alert }]);
});

test('a value between threshold and clear neither fires nor resolves', () => {
  const fixture = new AlertFixture([rule({ breaches: 1, of: 1 })]);
  expect(fixture.write(...runs(22, 24.9))).toEqual([]);
  expect(fixture.write(...runs(0, 0, 19, 20, 24.9, 22).slice(2))).toEqual(['firing slow ap-1']);
  expect(fixture.list()[0]?.reason).toBe('22 Mbit/s is not below 20 Mbit/s, and not yet back at 25 Mbit/s');
  expect(fixture.write(write(7, [download(25e6)]))).toEqual(['resolved slow ap-1']);
});

test('an alert fires on while N of the last M are bad, even after a good run', () => {
  const fixture = new AlertFixture([rule()]);
  expect(fixture.write(...runs(1, 1, 30))).toEqual(['firing slow ap-1']);
  expect(fixture.list()[0]?.reason).toBe('30 Mbit/s is at least 25 Mbit/s; before that, bad in 2 of 3 runs');
  expect(fixture.write(write(4, [download(30e6)]))).toEqual(['resolved slow ap-1']);
});

test('what was bad before an alert ended does not count for the next one, which has another id', () => {
  const fixture = new AlertFixture([rule()]);
  expect(fixture.write(...runs(1, 30, 1, 30, 1))).toEqual(['firing slow ap-1', 'resolved slow ap-1']);
  expect(fixture.list()).toMatchObject([{ state: 'pending', reason: '1 Mbit/s is below 20 Mbit/s in 1 of 3 runs' }]);
  expect(fixture.write(write(6, [download(1e6)]))).toEqual(['firing slow ap-1']);
  expect(new Set(fixture.told.map(({ alert }) => alert)).size).toBe(2);
});

test('a pending alert is forgotten when none of the last M is bad', () => {
  const fixture = new AlertFixture([rule()]);
  fixture.write(...runs(1, 30, 30));
  expect(fixture.list()).toMatchObject([{ state: 'pending' }]);
  fixture.write(write(4, [download(30e6)]));
  expect(fixture.list({ all: true })).toEqual([]);
});

test('a resolved alert stays shown while all is well', () => {
  const fixture = new AlertFixture([rule({ breaches: 1, of: 1 })]);
  fixture.write(...runs(1, 30, 31));
  expect(fixture.list({ all: true })).toMatchObject([
    { state: 'resolved', reason: '30 Mbit/s is at least 25 Mbit/s', recent: [{ value: 30e6 }] },
  ]);
});

describe('above', () => {
  const jitter = rule({
    ...{ name: 'jitter', metric: 'udp.upload.jitter_ms', breaches: 1, of: 1 },
    condition: { kind: 'above', threshold: 30, clear: 20 },
  });
  const udp = (jitter_ms: number) =>
    download(1e6, { protocol: 'udp', direction: 'upload', test: 'udp-upload', jitter_ms });

  test('fires over the threshold and ends at clear or under', () => {
    const fixture = new AlertFixture([jitter]);
    expect(fixture.write(write(1, [udp(30)]), write(2, [udp(30.1)]))).toEqual(['firing jitter ap-1']);
    expect(fixture.write(write(3, [udp(20.5)]))).toEqual([]);
    expect(fixture.write(write(4, [udp(20)]))).toEqual(['resolved jitter ap-1']);
    expect(fixture.told.map(({ reason }) => reason)).toEqual(['30.1 ms is above 30 ms', '20 ms is at most 20 ms']);
  });

  test('a measurement without the field says nothing', () => {
    const fixture = new AlertFixture([jitter]);
    fixture.write(write(1, [udp(31)]));
    const { jitter_ms: _, ...without } = udp(1);
    expect(fixture.write(write(2, [without]))).toEqual([]);
    expect(fixture.list()).toMatchObject([{ state: 'firing' }]);
  });
});

describe('a failed run', () => {
  const failed = rule({
    ...{ name: 'failed', metric: 'run.success', breaches: 2, of: 2 },
    condition: { kind: 'below', threshold: 1, clear: 1 },
  });
  const ended = (
    token: number,
    outcome: 'success' | 'failed' | 'lost' | 'skipped' | 'missed' | 'cancelled',
    reason: string | null,
  ) => write(token, [], { reached: null, end: { outcome, reason, time_ms: T0 + token, zeros: [] } });

  test('failed and lost count as bad, success as good, and what was never tried not at all', () => {
    const fixture = new AlertFixture([failed]);
    expect(
      fixture.write(ended(1, 'failed', 'auth'), ended(2, 'skipped', 'offline'), ended(3, 'missed', 'window')),
    ).toEqual([]);
    expect(fixture.write(ended(4, 'cancelled', 'by a person'), ended(5, 'lost', 'no-result'))).toEqual([
      'firing failed ap-1',
    ]);
    expect(fixture.write(ended(6, 'skipped', 'offline'))).toEqual([]);
    expect(fixture.write(ended(7, 'success', null))).toEqual(['resolved failed ap-1']);
    expect(fixture.told.map(({ reason, value }) => [reason, value])).toEqual([
      ['2 of 2 runs failed, the last one: nothing was heard of it', 0],
      ['the run succeeded', 1],
    ]);
  });

  test('a rule for a single run says why', () => {
    const fixture = new AlertFixture([{ ...failed, breaches: 1, of: 1 }]);
    fixture.write(ended(1, 'failed', 'auth'));
    expect(fixture.told[0]?.reason).toBe('the run failed: auth');
  });

  test('a test that could not be measured is a throughput of 0 and nothing else', () => {
    const rtt = rule({
      name: 'rtt',
      metric: 'tcp.download.seconds',
      condition: { kind: 'below', threshold: 1, clear: 1 },
    });
    const fixture = new AlertFixture([rule(), { ...rtt, breaches: 1, of: 1 }]);
    expect(fixture.write(unreached(1), unreached(2))).toEqual(['firing slow ap-1']);
    expect(fixture.told[0]?.reason).toBe('0 bit/s is below 20 Mbit/s in 2 of 3 runs');
  });

  test('a run that failed without a value for the metric says nothing to its rule', () => {
    const fixture = new AlertFixture([rule()]);
    fixture.write(write(1, [download(1e6)]), ended(2, 'failed', 'auth'));
    expect(fixture.list()).toMatchObject([{ state: 'pending', recent: [{ run: 'r-1' }] }]);
  });
});

describe('late and repeated', () => {
  test('the result of a grant before the newest changes nothing, whatever the clock said', () => {
    const fixture = new AlertFixture([rule({ breaches: 1, of: 1 })]);
    fixture.write(write(5, [download(30e6)]));
    expect(fixture.write(write(4, [download(1e6)], { at_ms: T0 + DAY_MS }))).toEqual([]);
    expect(fixture.list()).toEqual([]);
    fixture.write(write(6, [download(1e6)], { at_ms: T0 - DAY_MS }));
    expect(fixture.list()).toMatchObject([{ state: 'firing' }]);
  });

  test('the same result twice counts once', () => {
    const fixture = new AlertFixture([rule()]);
    expect(fixture.write(write(1, [download(1e6)]), write(1, [download(1e6)]))).toEqual([]);
    expect(fixture.list()).toMatchObject([{ state: 'pending', recent: [{ run: 'r-1' }] }]);
  });

  test('two tests of one metric in one run count each, in the order in which they ran', () => {
    const fixture = new AlertFixture([rule()]);
    const [first, second] = [download(1e6), download(1e6, { test: 'tcp-download-2' })];
    const both = write(1, [], {
      measurements: [
        { measurement: second, time_ms: T0 + 11_000 },
        { measurement: first, time_ms: T0 },
      ],
    });
    expect(fixture.write(both)).toEqual(['firing slow ap-1']);
    expect(fixture.list()[0]?.recent.map(({ time_ms }) => time_ms - T0)).toEqual([0, 11_000]);
  });

  test('a run that never had a slot is as new as the newest grant there is', () => {
    const failed = rule({
      name: 'failed',
      metric: 'run.success',
      condition: { kind: 'below', threshold: 1, clear: 1 },
    });
    const fixture = new AlertFixture([failed]);
    const ended = (run: string) => unreached(9, { run, token: null, server: null, reached: null });
    expect(fixture.write(ended('r-a'), ended('r-a'))).toEqual([]);
    expect(fixture.write(ended('r-b'))).toEqual(['firing failed ap-1']);
  });

  test('a device that is not registered any more has no alerts', () => {
    const fixture = new AlertFixture([rule({ breaches: 1, of: 1 })], []);
    expect(fixture.alerts.evaluate(write(1, [download(1e6)]))).toEqual(NOTHING);
  });
});

test('a rule that fires twice by one write has two alerts, each with an id of its own', () => {
  const fixture = new AlertFixture([rule({ breaches: 1, of: 1 })]);
  const tests = [1e6, 50e6, 1e6].map((value, index) => download(value, { test: `download-${index}` }));
  expect(fixture.write(write(1, tests))).toEqual(['firing slow ap-1', 'resolved slow ap-1', 'firing slow ap-1']);
  expect(new Set(fixture.told.map(({ alert }) => alert)).size).toBe(2);
});
