import { expect, test } from 'vitest';
import { pastPoints } from '../../../controller/influx/past-points.ts';
import { openStore } from './open-store.ts';
import { ending, grant, measurement, newRun, resultWrite, T0 } from './samples.ts';

const ALL = { since_ms: 0, until_ms: Number.MAX_SAFE_INTEGER };

/** Runs r-1 to r-5, each of which ended a minute after the one before; the even ones are of another device. */
const withRuns = () => {
  const store = openStore();
  for (const token of [1, 2, 3, 4, 5]) {
    const run = `r-${token}`;
    store.runs.add([newRun(run, { device: token % 2 === 0 ? 'ap-even' : 'ap-odd' })]);
    store.runs.noteGrant(grant(run, token));
    const change = { kind: 'final', ending: ending({ finished_at_ms: T0 + token * 60_000 }) } as const;
    store.results.store(resultWrite(run, token, { change }));
  }
  return store;
};

test('runs come from the oldest on, page by page, each once', () => {
  const { history } = withRuns();
  const seen: string[] = [];
  let page = history.page(ALL, 2);
  for (;;) {
    seen.push(...page.runs.map(({ run }) => run));
    if (page.next === null) break;
    page = history.page({ ...ALL, after: page.next }, 2);
  }
  expect(seen).toEqual(['r-1', 'r-2', 'r-3', 'r-4', 'r-5']);
});

test('a page that is just full has an empty one after it', () => {
  const { history } = withRuns();
  const { next } = history.page(ALL, 5);
  expect(next).not.toBeNull();
  expect(history.page({ ...ALL, after: next ?? undefined }, 5)).toEqual({ runs: [], next: null });
});

test('the first moment counts, the last one does not; a device can be picked out', () => {
  const { history } = withRuns();
  const range = { since_ms: T0 + 2 * 60_000, until_ms: T0 + 4 * 60_000 };
  const runs = (device?: string) => history.page({ ...range, device }, 10).runs.map(({ run }) => run);
  expect(runs()).toEqual(['r-2', 'r-3']);
  expect(runs('ap-odd')).toEqual(['r-3']);
});

test('a run that is not over has the points of its measurements only', () => {
  const store = openStore();
  store.runs.add([newRun('r-1')]);
  store.runs.noteGrant(grant('r-1', 1));
  const retry = { not_before_ms: T0, tests: [], failed_attempts: {} };
  store.results.store(resultWrite('r-1', 1, { change: { kind: 'retry', retry } }));
  const points = store.history.page(ALL, 10).runs.flatMap(pastPoints);
  expect(points.map((point) => [point.measurement, point.tags.server])).toEqual([['iperf3', 'milan-1']]);
});

test('a zero of a run that was never granted is of the server that it was to be measured on', () => {
  const store = openStore();
  store.runs.add([newRun('r-1')]);
  const zeros = [{ measurement: measurement({ bits_per_second: 0, bytes: 0, seconds: 0 }), time_ms: T0 }];
  store.results.finish('r-1', ending({ outcome: 'failed', reason: 'unreachable', server: 'rome-1', zeros }));
  const points = store.history.page(ALL, 10).runs.flatMap(pastPoints);
  expect(points.map((point) => [point.measurement, point.tags.server, point.time_ms])).toEqual([
    ['iperf3', 'rome-1', T0],
    ['iperf3_run', 'rome-1', T0 + 12_000],
  ]);
});

test('a measurement without any server has no point, as it had none when it was new', () => {
  const store = openStore();
  store.runs.add([newRun('r-1')]);
  const zeros = [{ measurement: measurement(), time_ms: T0 }];
  store.results.finish('r-1', ending({ outcome: 'failed', server: null, zeros }));
  const points = store.history.page(ALL, 10).runs.flatMap(pastPoints);
  expect(points.map((point) => point.measurement)).toEqual(['iperf3_run']);
});

test('old runs go with all that hangs on them, a few at a time; one that is not over stays', () => {
  const store = withRuns();
  store.runs.add([newRun('r-open')]);
  expect(store.runs.prune(T0 + 4 * 60_000, 2)).toBe(2);
  expect(store.runs.prune(T0 + 4 * 60_000, 2)).toBe(1);
  expect(store.runs.prune(T0 + 4 * 60_000, 2)).toBe(0);
  expect(store.records.list().map(({ run }) => run)).toEqual(['r-5', 'r-4', 'r-open']);
  expect([store.raw.of('r-1'), store.runs.grant(1), store.results.measured('r-1')]).toEqual([[], null, []]);
  expect(store.raw.of('r-4')).toHaveLength(1);
});
