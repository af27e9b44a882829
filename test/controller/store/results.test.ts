import { expect, test } from 'vitest';
import { openStore } from './open-store.ts';
import { ending, grant, lease, measurement, newRun, plan, point, resultWrite, T0 } from './samples.ts';

const withGrantedRun = () => {
  const store = openStore();
  store.runs.add([newRun('r-1')]);
  store.leases.save(lease(1));
  store.runs.noteGrant(grant('r-1', 1));
  return store;
};
const zero = measurement({ bits_per_second: 0, bytes: 0, seconds: 0 });

test('a result ends its run, drops the lease, and leaves its measurements, its output and its points', () => {
  const store = withGrantedRun();
  const write = resultWrite('r-1', 1, {
    points: [point()],
    change: { kind: 'final', ending: ending({ points: [point(T0 + 1)] }) },
  });
  expect(store.results.store(write)).toBe('stored');
  expect(store.runs.get('r-1')).toMatchObject({
    state: 'final',
    outcome: 'success',
    finished_at_ms: T0 + 12_000,
    duration_s: 10.5,
  });
  expect(store.leases.list()).toEqual([]);
  expect(store.records.get('r-1')?.measurements).toEqual([measurement()]);
  expect(store.raw.of('r-1')).toEqual([{ token: 1, outputs: write.outputs }]);
  expect(store.outbox.page(9).map((row) => row.point)).toEqual([point(), point(T0 + 1)]);
});

test('the same result is stored once', () => {
  const store = withGrantedRun();
  store.results.store(resultWrite('r-1', 1, { points: [point()] }));
  expect(store.results.store(resultWrite('r-1', 1, { points: [point()] }))).toBe('duplicate');
  expect(store.records.get('r-1')?.measurements).toHaveLength(1);
  expect(store.raw.of('r-1')).toHaveLength(1);
  expect(store.outbox.counts().waiting).toBe(1);
});

test('the result of an unknown run leaves nothing behind', () => {
  const store = withGrantedRun();
  expect(store.results.store(resultWrite('r-2', 1, { points: [point()] }))).toBe('unknown-run');
  expect(store.outbox.counts().waiting).toBe(0);
  expect(store.leases.list()).toHaveLength(1);
});

test('a result may send its run back into the queue with the tests that are left, even from overdue', () => {
  const store = withGrantedRun();
  store.runs.setOverdue('r-1', T0 + 5);
  const retry = { not_before_ms: T0 + 90_000, tests: [plan('udp-upload')], failed_attempts: { unreachable: 1 } };
  expect(store.results.store(resultWrite('r-1', 1, { change: { kind: 'retry', retry } }))).toBe('stored');
  expect(store.runs.get('r-1')).toMatchObject({ state: 'open', overdue_at_ms: null, attempts: 1, ...retry });
});

test('a late result of an earlier attempt adds its measurements and decides nothing', () => {
  const store = withGrantedRun();
  store.runs.noteGrant(grant('r-1', 2));
  store.results.store(resultWrite('r-1', 1, { change: null }));
  expect(store.runs.get('r-1')).toMatchObject({ state: 'open', granted_token: 2 });
  expect(store.records.get('r-1')?.measurements).toHaveLength(1);
});

test('a result after the end adds its measurements and their points, and does not change the outcome', () => {
  const store = withGrantedRun();
  store.results.finish(
    'r-1',
    ending({ outcome: 'lost', reason: 'nothing heard', zeros: [{ measurement: zero, time_ms: T0 }] }),
  );
  const late = resultWrite('r-1', 1, {
    points: [point()],
    change: { kind: 'final', ending: ending({ points: [point(T0 + 1)], zeros: [{ measurement: zero, time_ms: T0 }] }) },
  });
  expect(store.results.store(late)).toBe('stored');
  expect(store.runs.get('r-1')).toMatchObject({ outcome: 'lost', reason: 'nothing heard' });
  expect(store.records.get('r-1')?.measurements).toEqual([zero, measurement()]);
  expect(store.outbox.page(9).map((row) => row.point)).toEqual([point()]);
});

test('a run that ends without a result has its zeros and its point, once', () => {
  const store = withGrantedRun();
  const lost = ending({ outcome: 'lost', zeros: [{ measurement: zero, time_ms: T0 }], points: [point()] });
  expect(store.results.finish('r-1', lost)).toBe(true);
  expect(store.results.finish('r-1', ending({ outcome: 'cancelled', points: [point()] }))).toBe(false);
  expect(store.results.finish('unknown', lost)).toBe(false);
  expect(store.runs.get('r-1')?.outcome).toBe('lost');
  expect(store.records.get('r-1')?.measurements).toEqual([zero]);
  expect(store.outbox.counts().waiting).toBe(1);
});

test('a run that ends without a result says why its tests were never measured', () => {
  const store = openStore();
  store.runs.add([newRun('r-1')]);
  const failure = { test: 'tcp-upload', class: 'local', message: 'iperf3 is missing', retryable: false } as const;
  expect(store.results.finish('r-1', ending({ outcome: 'failed' }), [failure])).toBe(true);
  expect(store.records.get('r-1')?.failures).toEqual([failure]);
});
