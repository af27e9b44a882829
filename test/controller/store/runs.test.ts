import { expect, test } from 'vitest';
import { openStore } from './open-store.ts';
import { ending, grant, lease, newRun, plan, T0 } from './samples.ts';

test('a new run is open, with nothing tried yet', () => {
  const { runs } = openStore();
  const run = newRun('r-1', { server: 'milan-2', tests: [plan('a'), plan('b')] });
  expect(runs.add([run])).toEqual(['r-1']);
  expect(runs.get('r-1')).toEqual({
    ...run,
    plan: run.tests,
    attempts: 0,
    failed_attempts: {},
    failures: [],
    first_granted_at_ms: null,
    granted_token: null,
    awaits_result: false,
    granted_server: null,
    granted_via: null,
    granted_at_ms: null,
    granted_tests: null,
    state: 'open',
    overdue_at_ms: null,
    outcome: null,
    reason: null,
    finished_at_ms: null,
    duration_s: null,
  });
  expect(runs.get('r-2')).toBeNull();
});

test('a night is never doubled: a device has one run in it for an organization', () => {
  const { runs } = openStore();
  const night = { origin: 'schedule', night: '2026-11-22' } as const;
  expect(runs.add([newRun('r-1', night), newRun('r-2', { ...night, device: 'ap-13' })])).toEqual(['r-1', 'r-2']);
  expect(
    runs.add([
      newRun('r-3', night),
      newRun('r-4', { ...night, night: '2026-11-23' }),
      newRun('r-5', { ...night, organization: 'other' }),
    ]),
  ).toEqual(['r-4', 'r-5']);
});

test('a device may be asked for any number of runs on demand, but the same run is added once', () => {
  const { runs } = openStore();
  expect(runs.add([newRun('r-1'), newRun('r-2'), newRun('r-1')])).toEqual(['r-1', 'r-2']);
});

test('open runs come in the order in which they were added; overdue ones are among them, final ones are not', () => {
  const { runs, results } = openStore();
  runs.add([newRun('r-9'), newRun('r-1'), newRun('r-5')]);
  runs.setOverdue('r-1', T0);
  results.finish('r-5', ending());
  expect(runs.open().map(({ run, state }) => [run, state])).toEqual([
    ['r-9', 'open'],
    ['r-1', 'overdue'],
  ]);
});

test('a grant counts one attempt and grants the lease', () => {
  const { runs, leases } = openStore();
  runs.add([newRun('r-1')]);
  leases.save(lease(1));
  leases.save(lease(2));
  expect(runs.noteGrant(grant('r-1', 1))).toBe(true);
  expect(leases.list().map(({ token, granted }) => [token, granted])).toEqual([
    [1, true],
    [2, false],
  ]);
  expect(runs.get('r-1')).toMatchObject({
    attempts: 1,
    first_granted_at_ms: T0 + 1250,
    granted_token: 1,
    granted_server: 'milan-1',
    granted_via: 'agent',
    granted_at_ms: T0 + 1250,
    granted_tests: [plan('tcp-upload')],
  });
});

test('a second grant keeps the time of the first, and every grant can be looked up', () => {
  const { runs } = openStore();
  runs.add([newRun('r-1')]);
  runs.noteGrant(grant('r-1', 1));
  const second = grant('r-1', 2, { server: 'milan-2', via: 'ssh', at_ms: T0 + 60_000 });
  runs.noteGrant(second);
  expect(runs.get('r-1')).toMatchObject({
    attempts: 2,
    first_granted_at_ms: T0 + 1250,
    granted_server: 'milan-2',
    granted_at_ms: T0 + 60_000,
  });
  expect(runs.grant(1)).toEqual(grant('r-1', 1));
  expect(runs.grant(2)).toEqual(second);
  expect(runs.grant(3)).toBeNull();
});

test('the same grant counts once', () => {
  const { runs } = openStore();
  runs.add([newRun('r-1')]);
  runs.noteGrant(grant('r-1', 1));
  expect(runs.noteGrant(grant('r-1', 1, { at_ms: T0 + 9000 }))).toBe(false);
  expect(runs.get('r-1')).toMatchObject({ attempts: 1, granted_at_ms: T0 + 1250 });
});

test('a grant does not change a final run', () => {
  const { runs, results } = openStore();
  runs.add([newRun('r-1')]);
  results.finish('r-1', ending({ outcome: 'cancelled' }));
  runs.noteGrant(grant('r-1', 1));
  expect(runs.get('r-1')).toMatchObject({ state: 'final', attempts: 0, granted_token: null });
});

test('only an open run becomes overdue', () => {
  const { runs, results } = openStore();
  runs.add([newRun('r-1')]);
  expect(runs.setOverdue('r-1', T0 + 1)).toBe(true);
  expect(runs.setOverdue('r-1', T0 + 2)).toBe(false);
  expect(runs.get('r-1')).toMatchObject({ state: 'overdue', overdue_at_ms: T0 + 1 });
  results.finish('r-1', ending({ outcome: 'lost' }));
  expect(runs.setOverdue('r-1', T0 + 3)).toBe(false);
  expect(runs.setOverdue('unknown', T0)).toBe(false);
});

test('a granted run awaits its result until it waits again or is over', () => {
  const { runs, results } = openStore();
  runs.add([newRun('r-1'), newRun('r-2'), newRun('r-3')]);
  for (const [index, run] of ['r-1', 'r-2', 'r-3'].entries()) runs.noteGrant(grant(run, index + 1));
  expect(runs.awaited(Number.MAX_SAFE_INTEGER).map(({ run }) => run)).toEqual(['r-1', 'r-2', 'r-3']);
  runs.noteRequeued('r-1');
  results.finish('r-2', ending());
  expect(runs.awaited(Number.MAX_SAFE_INTEGER).map(({ run }) => run)).toEqual(['r-3']);
});

test('runs that are granted for long, of one device, and all that are open can be asked for', () => {
  const { runs, results } = openStore();
  runs.add([newRun('r-1'), newRun('r-2', { device: 'ap-13' }), newRun('r-3')]);
  runs.noteGrant({ ...grant('r-1', 1), at_ms: T0 });
  runs.noteGrant({ ...grant('r-2', 2), at_ms: T0 + 2 });
  expect(runs.awaited(T0 + 1).map(({ run }) => run)).toEqual(['r-1']);
  expect(runs.openOf('ap-13').map(({ run }) => run)).toEqual(['r-2']);
  expect(runs.countOpen()).toBe(3);
  results.finish('r-2', ending());
  expect(runs.openOf('ap-13')).toEqual([]);
  expect(runs.countOpen()).toBe(2);
});

test('a run that is to be retried is open again, with the tests that are left and its failures counted', () => {
  const { runs } = openStore();
  runs.add([newRun('r-1', { tests: [plan('a'), plan('b')] })]);
  runs.noteGrant(grant('r-1', 1));
  runs.setOverdue('r-1', T0);
  runs.retry('r-1', { not_before_ms: T0 + 5, tests: [plan('b')], failed_attempts: { busy: 1 } }, T0 + 1);
  expect(runs.get('r-1')).toMatchObject({
    state: 'open',
    overdue_at_ms: null,
    awaits_result: false,
    not_before_ms: T0 + 5,
    tests: [plan('b')],
    failed_attempts: { busy: 1 },
  });
});
