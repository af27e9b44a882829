import { expect, test } from 'vitest';
import type { FailureClass } from '../../../controller/results/measurement.ts';
import { RunRecord } from '../../../controller/run-record.ts';
import { testSystem } from '../results/test-system.ts';
import { openStore } from './open-store.ts';
import { ending, grant, measurement, newRun, plan, resultWrite, T0 } from './samples.ts';

const failure = (test: string, failureClass: FailureClass) => ({
  test,
  class: failureClass,
  message: 'no route to host',
  retryable: true,
});

test('a finished run reads as the contract shows it', () => {
  const { runs, results, records } = openStore();
  runs.add([newRun('r-1')]);
  runs.noteGrant(grant('r-1', 1));
  results.store(resultWrite('r-1', 1, { warnings: ['cpu figures missing'] }));
  const record = records.get('r-1');
  expect(record).toEqual({
    run: 'r-1',
    device: 'ap-12',
    organization: 'acme',
    server: 'milan-1',
    via: 'agent',
    outcome: 'success',
    reason: null,
    granted_at: '2026-11-22T02:00:01.250Z',
    queued_s: 1.25,
    duration_s: 10.5,
    attempts: 1,
    measurements: [measurement()],
    failures: [],
    warnings: ['cpu figures missing'],
  });
  expect(RunRecord.parse(record)).toEqual(record);
  expect(records.get('r-2')).toBeNull();
});

test('a run that still waits has no outcome, and shows the server it asked for', () => {
  const { runs, records } = openStore();
  runs.add([newRun('r-1', { server: 'milan-2' })]);
  expect(records.get('r-1')).toMatchObject({
    server: 'milan-2',
    via: null,
    outcome: null,
    granted_at: null,
    queued_s: 0,
    duration_s: 0,
  });
});

test('a run that never had a slot was queued until its end', () => {
  const { runs, results, records } = openStore();
  runs.add([newRun('r-1')]);
  results.finish('r-1', ending({ outcome: 'missed', finished_at_ms: T0 + 3_600_000, duration_s: 0 }));
  expect(records.get('r-1')).toMatchObject({ outcome: 'missed', server: null, granted_at: null, queued_s: 3600 });
});

test('records come newest first, by what last happened to them', () => {
  const { runs, results, records } = openStore();
  runs.add([
    newRun('a'),
    newRun('b', { requested_at_ms: T0 + 1, device: 'ap-13' }),
    newRun('c', { requested_at_ms: T0 + 2 }),
  ]);
  runs.noteGrant(grant('a', 1, { at_ms: T0 + 5000 }));
  results.finish('b', ending({ finished_at_ms: T0 + 3000 }));
  const ids = (filter?: Parameters<typeof records.list>[0]) => records.list(filter).map(({ run }) => run);
  expect(ids()).toEqual(['a', 'b', 'c']);
  expect(ids({ limit: 1 })).toEqual(['a']);
  expect(ids({ device: 'ap-12' })).toEqual(['a', 'c']);
  expect(ids({ since_ms: T0 + 3000 })).toEqual(['a', 'b']);
  expect(ids({ device: 'ap-12', since_ms: T0 + 3000 })).toEqual(['a']);
  expect(ids({ run: 'c' })).toEqual(['c']);
});

test('a failure counts until a later attempt measures the test or fails in another way', () => {
  const { runs, results, records } = openStore();
  runs.add([newRun('r-1', { tests: [plan('a'), plan('b'), plan('c')] })]);
  const retry = { not_before_ms: T0, tests: [plan('a')], failed_attempts: { unreachable: 1 } };
  runs.noteGrant(grant('r-1', 1));
  results.store(
    resultWrite('r-1', 1, {
      measurements: [],
      failures: [failure('a', 'unreachable'), failure('b', 'unreachable'), failure('c', 'busy')],
      warnings: ['first'],
      change: { kind: 'retry', retry },
    }),
  );
  runs.noteGrant(grant('r-1', 2));
  results.store(
    resultWrite('r-1', 2, {
      measurements: [{ measurement: measurement({ test: 'a' }), time_ms: T0 + 9000 }],
      failures: [failure('b', 'link-lost')],
      warnings: ['second'],
    }),
  );
  expect(records.get('r-1')).toMatchObject({
    attempts: 2,
    failures: [failure('b', 'link-lost'), failure('c', 'busy')],
    warnings: ['first', 'second'],
  });
});

test('how busy the device was is there once a test, as its last attempt says, and absent where nobody told', () => {
  const { runs, results, records } = openStore();
  runs.add([newRun('r-1', { tests: [plan('a'), plan('b')] }), newRun('r-2')]);
  const retry = { not_before_ms: T0, tests: [plan('a')], failed_attempts: { unreachable: 1 } };
  const first = [testSystem('a', 10), testSystem('b', 20)];
  results.store(resultWrite('r-1', 1, { system: first, change: { kind: 'retry', retry } }));
  results.store(resultWrite('r-1', 2, { system: [testSystem('a', 30)] }));
  results.store(resultWrite('r-2', 3));
  const record = records.get('r-1');
  expect(record?.system).toEqual([testSystem('a', 30), testSystem('b', 20)]);
  expect(RunRecord.parse(record)).toEqual(record);
  expect(records.get('r-2')).not.toHaveProperty('system');
});

test('measurements come in the order of their time, and each run has its own', () => {
  const { runs, results, records } = openStore();
  runs.add([newRun('r-1'), newRun('r-2')]);
  const timed = (test: string, time_ms: number) => ({ measurement: measurement({ test }), time_ms });
  results.store(resultWrite('r-1', 1, { measurements: [timed('late', T0 + 2), timed('early', T0 + 1)] }));
  results.store(resultWrite('r-2', 2, { measurements: [timed('other', T0)] }));
  expect(records.get('r-1')?.measurements.map(({ test }) => test)).toEqual(['early', 'late']);
  expect(
    records
      .list()
      .map((record) => record.measurements.length)
      .sort(),
  ).toEqual([1, 2]);
});
