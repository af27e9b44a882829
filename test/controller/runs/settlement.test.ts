import { describe, expect, it } from 'vitest';
import { Settlement } from '../../../controller/runs/settlement.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { openStore } from '../store/open-store.ts';
import { newRun, T0 } from '../store/samples.ts';

const make = (options: { influx?: boolean; retries?: number } = {}) => {
  const { influx = true, retries = 0 } = options;
  const store = openStore();
  const asked: [string, readonly string[]][] = [];
  const checkOf = (organization: string, tags: readonly string[]) => {
    asked.push([organization, tags]);
    return { retries, backoff_ms: 600_000 };
  };
  const log = new RecordedLog();
  const settlement = new Settlement({ store, influx, checkOf, random: () => 0.5, log });
  const tests = [testPlan(), testPlan({ test: 'tcp-download', direction: 'download' })];
  store.runs.add([newRun('r-1', { tests, requested_at_ms: T0, window_end_ms: T0 + 3_600_000 })]);
  const grant = (token = 1) =>
    store.runs.noteGrant({ token, run: 'r-1', server: 'milan-1', via: 'agent', at_ms: T0 + 1500, tests });
  const points = () => store.outbox.page(99).map(({ point }) => point);
  return { store, log, settlement, grant, points, asked, device: newRun('r-1').device };
};

const up = corpusOutput('v3.12__tcp_up.json', { started_ms: 5, ended_ms: 2000 });
const down = corpusOutput('v3.12__tcp_down.json', { test: 'tcp-download', started_ms: 2010, ended_ms: 4000 });

it('a result becomes measurements with the time of their tests, and a run point with the time of its grant', () => {
  const { settlement, grant, points, device } = make();
  grant();
  const result = { run: 'r-1', token: 1, boot: 'b', tests: [up, down] };
  expect(settlement.result(device, result, T0 + 6000).settled).toBe('final');
  expect(points().map(({ measurement, time_ms, tags }) => [measurement, time_ms - T0, tags['direction']])).toEqual([
    ['iperf3', 1505, 'upload'],
    ['iperf3', 3510, 'download'],
    ['iperf3_run', 1500, undefined],
  ]);
  expect(points()[2]).toMatchObject({
    tags: { server: 'milan-1', via: 'agent', outcome: 'success' },
    floats: { duration_s: 4, queued_s: 1.5 },
    integers: { success: 1, attempts: 1 },
    strings: { run: 'r-1' },
  });
});

it('without InfluxDB nothing is queued for it', () => {
  const { settlement, grant, points, device } = make({ influx: false });
  grant();
  settlement.result(device, { run: 'r-1', token: 1, boot: 'b', tests: [up, down] }, T0 + 6000);
  expect(points()).toEqual([]);
});

it('the same result twice changes nothing the second time', () => {
  const { settlement, grant, points, device } = make();
  grant();
  const result = { run: 'r-1', token: 1, boot: 'b', tests: [up, down] };
  settlement.result(device, result, T0 + 6000);
  expect(settlement.result(device, result, T0 + 7000).settled).toBe('unchanged');
  expect(points()).toHaveLength(3);
});

it('a name that does not resolve ends as throughput 0 for the server that it was on deck for', () => {
  const { settlement, points, store } = make();
  const failure = { class: 'unreachable', message: 'unresolved: no address', retryable: true } as const;
  expect(settlement.attemptFailed('r-1', failure, 'milan-1', T0 + 100)).toBe('final');
  const shown = points().map(({ measurement, tags, floats }) => [
    measurement,
    tags['server'],
    Object.entries(floats)[0],
  ]);
  expect(shown).toEqual([
    ['iperf3', 'milan-1', ['bits_per_second', 0]],
    ['iperf3', 'milan-1', ['bits_per_second', 0]],
    ['iperf3_run', 'milan-1', ['duration_s', 0]],
  ]);
  expect(store.records.get('r-1')?.failures).toHaveLength(2);
});

it('counts what failed before, so that retries end', () => {
  const { settlement, grant, store } = make({ retries: 1 });
  const failure = { class: 'unreachable', message: 'refused', retryable: true } as const;
  expect(settlement.attemptFailed('r-1', failure, 'milan-1', T0)).toBe('retry');
  expect(store.runs.get('r-1')?.failed_attempts).toEqual({ unreachable: 1 });
  grant(2);
  expect(settlement.attemptFailed('r-1', failure, null, T0)).toBe('final');
});

it('a scheduled run waits longer for its next attempt than one that a person waits for', () => {
  const { settlement, store } = make({ retries: 1 });
  store.runs.add([
    newRun('r-2', { origin: 'schedule', night: 'n', tests: [testPlan()], window_end_ms: T0 + 3_600_000 }),
  ]);
  const failure = { class: 'unreachable', message: 'refused', retryable: true } as const;
  settlement.attemptFailed('r-1', failure, 'milan-1', T0);
  settlement.attemptFailed('r-2', failure, 'milan-1', T0);
  expect(store.runs.get('r-1')?.not_before_ms).toBe(T0 + 5000);
  expect(store.runs.get('r-2')?.not_before_ms).toBeGreaterThan(T0 + 5000);
});

it('a run that never had a server has a point without one, at the time of its end', () => {
  const { settlement, points } = make();
  expect(settlement.end('r-1', 'skipped', 'device-offline', T0 + 9)).toBe(true);
  expect(points()).toMatchObject([
    { measurement: 'iperf3_run', time_ms: T0 + 9, strings: { reason: 'device-offline' } },
  ]);
  expect(points()[0]?.tags).not.toHaveProperty('server');
  expect(points()[0]?.integers).not.toHaveProperty('success');
});

it('a run that is over, or unknown, is not ended again', () => {
  const { settlement } = make();
  const failure = { class: 'local', message: 'no iperf3', retryable: false } as const;
  settlement.end('r-1', 'cancelled', 'enough', T0);
  expect(settlement.end('r-1', 'missed', 'late', T0)).toBe(false);
  expect(settlement.end('r-9', 'missed', 'late', T0)).toBe(false);
  expect(settlement.attemptFailed('r-1', failure, null, T0)).toBe('unchanged');
  expect(settlement.attemptFailed('r-9', failure, null, T0)).toBe('unchanged');
});

it('how long a run took until it was given up counts from its grant', () => {
  const { settlement, grant, store } = make();
  grant();
  settlement.end('r-1', 'lost', 'no-result', T0 + 61_500);
  expect(store.records.get('r-1')?.duration_s).toBe(60);
});

it('a run is a success only when all of its tests were measured, whichever attempt they were in', () => {
  const { settlement, grant, store, device } = make({ retries: 1 });
  const tests = store.runs.get('r-1')?.plan ?? [];
  grant(1);
  const refused = corpusOutput('v3.12__err_refused.json');
  const garbage = { ...down, stdout: 'not JSON at all' };
  expect(settlement.result(device, { run: 'r-1', token: 1, boot: 'b', tests: [refused, garbage] }, T0).settled).toBe(
    'retry',
  );
  const left = store.runs.get('r-1')?.tests ?? [];
  expect(left).toEqual(tests.slice(0, 1));
  store.runs.noteGrant({ token: 2, run: 'r-1', server: 'milan-1', via: 'agent', at_ms: T0 + 9000, tests: left });
  expect(settlement.result(device, { run: 'r-1', token: 2, boot: 'b', tests: [up] }, T0 + 12_000).settled).toBe(
    'final',
  );
  expect(store.records.get('r-1')).toMatchObject({
    outcome: 'failed',
    reason: 'malformed',
    measurements: [{ test: up.test }],
  });
});

it('a zero has a time of its own, so that it overwrites neither a measurement nor another zero', () => {
  const { settlement, store, device, points } = make();
  const tests = ['a', 'b', 'c'].map((test) => testPlan({ test }));
  store.runs.add([newRun('r-2', { tests, window_end_ms: T0 + 3_600_000 })]);
  store.runs.noteGrant({ token: 5, run: 'r-2', server: 'milan-1', via: 'agent', at_ms: T0, tests });
  const refused = (test: string) => corpusOutput('v3.12__err_refused.json', { test });
  const outputs = [{ ...up, test: 'a', started_ms: 0 }, refused('b'), refused('c')];
  settlement.result(device, { run: 'r-2', token: 5, boot: 'b', tests: outputs }, T0 + 9000);
  const series = points().filter(({ measurement }) => measurement === 'iperf3');
  expect(series.map(({ time_ms }) => time_ms - T0)).toEqual([0, 11_001, 22_002]);
});

it('times beyond the end of the lease are cut: a device does not date its points as it likes', () => {
  const { settlement, grant, store, points, device } = make();
  grant();
  const late = { ...up, started_ms: 9e8, ended_ms: 9e8 };
  settlement.result(device, { run: 'r-1', token: 1, boot: 'b', tests: [late, down] }, T0 + 6000);
  // Two tests of 10 s with 1 s of omit: 47 s.
  expect(points()[0]?.time_ms).toBe(T0 + 1500 + 47_000);
  expect(store.records.get('r-1')?.duration_s).toBe(47);
});

it('a result that can not be read ends the attempt that it is of, and no other', () => {
  const { settlement, grant, store, device, log } = make();
  grant();
  const reason = 'tests.0.started_ms: Too small';
  expect(settlement.unreadable('ap-99', { run: 'r-1', token: 1 }, reason, T0)).toBe('unchanged');
  expect(log.of('warn')).toHaveLength(1);
  expect(settlement.unreadable(device, { run: 'r-1', token: 1 }, reason, T0)).toBe('final');
  expect(store.records.get('r-1')).toMatchObject({ outcome: 'failed', reason: 'malformed', measurements: [] });
  expect(store.records.get('r-1')?.failures[0]?.message).toContain(reason);
  expect(settlement.unreadable(device, { run: 'r-1', token: 1 }, reason, T0)).toBe('unchanged');
});

it('a run is tried again as the check of its device says, after the wait of that check', () => {
  const { settlement, store, asked, device } = make({ retries: 1 });
  store.devices.add({ device, organization: 'acme', tags: ['lte'], uplink_group: null }, 'hash');
  store.runs.add([newRun('r-2', { origin: 'schedule', night: 'acme/1' })]);
  const failure = { class: 'unreachable', message: 'no route', retryable: true } as const;
  expect(settlement.attemptFailed('r-2', failure, null, T0)).toBe('retry');
  expect(asked).toEqual([['acme', ['lte']]]);
  // Half of the wait is left to chance, which says a half here.
  expect(store.runs.get('r-2')?.not_before_ms).toBe(T0 + 450_000);
  expect(settlement.attemptFailed('r-2', failure, null, T0 + 450_000)).toBe('final');
});

describe('what a result says of its server', () => {
  const refused = { ...up, stdout: '{"error":"error - the server is busy running a test. try again later"}' };

  it('is that it was busy elsewhere when any of its tests found it so', () => {
    const { settlement, grant, device, store } = make();
    grant();
    const result = { run: 'r-1', token: 1, boot: 'b', tests: [up, { ...refused, test: 'tcp-download' }] };
    expect(settlement.result(device, result, T0 + 6000)).toEqual({
      settled: 'retry',
      served: { server: 'milan-1', busy_elsewhere: true },
    });
    expect(store.records.get('r-1')?.measurements.map(({ bytes }) => bytes > 0)).toEqual([true]);
  });

  it('is that it was not, when it measured', () => {
    const { settlement, grant, device } = make();
    grant();
    const result = { run: 'r-1', token: 1, boot: 'b', tests: [up, down] };
    expect(settlement.result(device, result, T0).served).toEqual({ server: 'milan-1', busy_elsewhere: false });
  });

  it('is nothing when it comes late, twice, or from nobody', () => {
    const { settlement, grant, device, store } = make();
    grant();
    store.runs.setOverdue('r-1', T0 + 60_000);
    const result = { run: 'r-1', token: 1, boot: 'b', tests: [refused] };
    expect(settlement.result(device, result, T0 + 90_000)).toEqual({ settled: 'retry', served: null });
    expect(settlement.result(device, result, T0 + 90_000)).toEqual({ settled: 'unchanged', served: null });
    expect(settlement.result('ap-99', result, T0)).toEqual({ settled: 'unchanged', served: null });
  });
});

it('what a result has moved corrects the estimate, also when its run has ended', () => {
  const { settlement, grant, device, store } = make();
  grant();
  store.moved.note({ token: 1, run: 'r-1', device, at_ms: T0, bytes: 5 });
  settlement.end('r-1', 'cancelled', 'enough', T0);
  settlement.result(device, { run: 'r-1', token: 1, boot: 'b', tests: [up, down] }, T0 + 6000);
  expect(store.moved.since(device, T0)).toBe(4_596_695_040 + 4_955_832_320);
});

it('a test that its server limits has a warning in the record', () => {
  const { settlement, device, store } = make();
  const tests = [testPlan({ bitrate: 100e6 })];
  store.runs.noteGrant({ token: 1, run: 'r-1', server: 'milan-1', via: 'agent', at_ms: T0, tests });
  settlement.result(device, { run: 'r-1', token: 1, boot: 'b', tests: [up] }, T0 + 6000);
  expect(store.records.get('r-1')?.warnings).toEqual([
    'tcp-upload: limited to 100 Mbit/s, the max_bitrate of server milan-1',
  ]);
});

describe('a run that was tried, failed, and gets no turn again', () => {
  const refused = corpusOutput('v3.12__err_refused.json');
  const busy = { ...up, stdout: '{"error":"error - the server is busy running a test. try again later"}' };
  const ofDown = { test: 'tcp-download' };

  it.each([
    ['skipped', 'device-offline'],
    ['missed', 'window-closed'],
  ] as const)('is failed with zeros in the place of %s, %s; what was measured stays', (outcome, reason) => {
    const { settlement, grant, store, points, device } = make({ retries: 1 });
    grant();
    const result = { run: 'r-1', token: 1, boot: 'b', tests: [up, { ...refused, ...ofDown }] };
    expect(settlement.result(device, result, T0 + 6000).settled).toBe('retry');
    expect(settlement.end('r-1', outcome, reason, T0 + 9000)).toBe(true);
    const record = store.records.get('r-1');
    expect(record).toMatchObject({ outcome: 'failed', reason: 'unreachable', failures: [ofDown] });
    expect(record?.measurements.map(({ test, bytes }) => [test, bytes > 0])).toEqual([
      ['tcp-upload', true],
      ['tcp-download', false],
    ]);
    expect(points().map(({ measurement, tags }) => [measurement, tags['server'], tags['outcome']])).toEqual([
      ['iperf3', 'milan-1', undefined],
      ['iperf3', 'milan-1', undefined],
      ['iperf3_run', 'milan-1', 'failed'],
    ]);
  });

  it('is decided by its last attempt, also when that had no result', () => {
    const { settlement, grant, store, device } = make({ retries: 1 });
    grant();
    settlement.result(device, { run: 'r-1', token: 1, boot: 'b', tests: [busy, { ...busy, ...ofDown }] }, T0 + 6000);
    grant(2);
    const lost = { class: 'link-lost', message: 'the agent lost the run', retryable: true } as const;
    expect(settlement.attemptFailed('r-1', lost, null, T0 + 7000)).toBe('retry');
    settlement.end('r-1', 'skipped', 'over-budget', T0 + 9000);
    expect(store.records.get('r-1')).toMatchObject({
      outcome: 'failed',
      reason: 'link-lost',
      measurements: [{ bits_per_second: 0 }, { bits_per_second: 0 }],
    });
  });

  it('is missed, without zeros, when the server was busy and nothing else', () => {
    const { settlement, grant, store, device } = make();
    grant();
    settlement.result(device, { run: 'r-1', token: 1, boot: 'b', tests: [up, { ...busy, ...ofDown }] }, T0 + 6000);
    settlement.end('r-1', 'skipped', 'suppressed', T0 + 9000);
    expect(store.records.get('r-1')).toMatchObject({
      outcome: 'missed',
      reason: 'server-busy',
      measurements: [{ test: 'tcp-upload' }],
    });
  });

  it('is cancelled when somebody cancels it', () => {
    const { settlement, store } = make({ retries: 1 });
    const failure = { class: 'unreachable', message: 'no route', retryable: true } as const;
    settlement.attemptFailed('r-1', failure, 'milan-1', T0);
    settlement.end('r-1', 'cancelled', 'enough', T0 + 9);
    expect(store.records.get('r-1')).toMatchObject({ outcome: 'cancelled', reason: 'enough', measurements: [] });
  });
});

it('what failed before is no failure of a run that was measured after that', () => {
  const { settlement, grant, store, device } = make({ retries: 1 });
  const failure = { class: 'unreachable', message: 'no route', retryable: true } as const;
  settlement.attemptFailed('r-1', failure, 'milan-1', T0);
  grant();
  settlement.result(device, { run: 'r-1', token: 1, boot: 'b', tests: [up, down] }, T0 + 6000);
  expect(store.records.get('r-1')).toMatchObject({ outcome: 'success', failures: [] });
});
