import { describe, expect, test } from 'vitest';
import { openStore } from './open-store.ts';
import { grant, newRun, plan, resultWrite, T0 } from './samples.ts';

const DAY_MS = 86_400_000;

/** A store in which `device` has had these grants, each of a run of its own. */
const withGrants = (tokens: number[], tests = [plan('tcp-upload')]) => {
  const store = openStore();
  for (const token of tokens) {
    const run = `r-${token}`;
    store.runs.add([newRun(run, { tests })]);
    store.runs.noteGrant(grant(run, token, { at_ms: T0 + token, tests }));
    store.moved.note({ token, run, device: 'ap-12', at_ms: T0 + token, bytes: 1000 });
  }
  return store;
};

test('a grant counts with its estimate, once, until its result says what was really moved', () => {
  const store = withGrants([1]);
  store.moved.note({ token: 1, run: 'r-1', device: 'ap-12', at_ms: T0, bytes: 5 });
  expect(store.moved.since('ap-12', T0)).toBe(1000);
  store.results.store(resultWrite('r-1', 1, { moved_bytes: 117_500_000 }));
  expect(store.moved.since('ap-12', T0)).toBe(117_500_000);
});

test('a run whose result never comes keeps its estimate', () => {
  const store = withGrants([1]);
  store.results.finish('r-1', {
    server: null,
    outcome: 'lost',
    reason: 'no-result',
    finished_at_ms: T0 + DAY_MS,
    duration_s: 0,
    zeros: [],
    points: [],
  });
  expect(store.moved.since('ap-12', T0)).toBe(1000);
});

test('a grant that never began has moved nothing, and is no run; an earlier one of that run stays', () => {
  const store = withGrants([1]);
  store.runs.retry('r-1', { not_before_ms: T0, tests: [plan('tcp-upload')], failed_attempts: {} }, T0);
  store.runs.noteRequeued('r-1');
  expect(store.moved.since('ap-12', T0)).toBe(1000);
  store.runs.noteGrant(grant('r-1', 2));
  store.moved.note({ token: 2, run: 'r-1', device: 'ap-12', at_ms: T0 + 2, bytes: 500 });
  store.runs.noteRequeued('r-1');
  expect(store.moved.since('ap-12', T0)).toBe(1000);
  expect(store.moved.runsSince('ap-12', T0, 'r-9')).toBe(1);
});

test('bytes and runs are those of one device, from a moment on', () => {
  const store = withGrants([1, 2, 3]);
  store.moved.note({ token: 9, run: 'r-9', device: 'ap-13', at_ms: T0 + 5, bytes: 1 });
  expect(store.moved.since('ap-12', T0 + 2)).toBe(2000);
  expect(store.moved.since('ap-99', T0)).toBe(0);
  expect(store.moved.runsSince('ap-12', T0 + 2, 'r-9')).toBe(2);
});

test('a run that is tried again is one run, and does not count against itself', () => {
  const store = withGrants([1, 2]);
  store.moved.note({ token: 3, run: 'r-1', device: 'ap-12', at_ms: T0 + 3, bytes: 1 });
  expect(store.moved.runsSince('ap-12', T0, 'r-9')).toBe(2);
  expect(store.moved.runsSince('ap-12', T0, 'r-1')).toBe(1);
});

test('what devices claim never overflows', () => {
  const store = withGrants(Array.from({ length: 1100 }, (_, index) => index + 1));
  for (let token = 1; token <= 1100; token += 1) store.moved.correct(token, Number.MAX_SAFE_INTEGER);
  expect(store.moved.since('ap-12', T0)).toBeGreaterThan(2 ** 63);
});

describe('the last runs of the same tests', () => {
  test('are the newest, corrected ones that moved anything', () => {
    const store = withGrants([1, 2, 3, 4, 5]);
    for (const [token, bytes] of [
      [1, 10],
      [2, 20],
      [3, 0],
      [4, 40],
    ] as const) {
      store.moved.correct(token, bytes);
    }
    expect(store.moved.lastOf('ap-12', [plan('tcp-upload')], 2)).toEqual([40, 20]);
    expect(store.moved.lastOf('ap-12', [plan('tcp-upload')], 9)).toEqual([40, 20, 10]);
  });

  test('are not those of another device, or of other tests', () => {
    const store = withGrants([1]);
    store.moved.correct(1, 10);
    expect(store.moved.lastOf('ap-13', [plan('tcp-upload')], 3)).toEqual([]);
    expect(store.moved.lastOf('ap-12', [plan('tcp-upload'), plan('b')], 3)).toEqual([]);
  });
});

test('what is too old is forgotten', () => {
  const store = withGrants([1, 2, 3]);
  expect(store.moved.prune(T0 + 3)).toBe(2);
  expect(store.moved.since('ap-12', 0)).toBe(1000);
});
