import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openStore } from './open-store.ts';
import { newRun, resultWrite, T0 } from './samples.ts';

/** Of one of these results, compressed. */
const BYTES = gzipSync(JSON.stringify(resultWrite('r', 1).outputs)).length;

const withResults = (times: number[]) => {
  const store = openStore();
  for (const [index, at_ms] of times.entries()) {
    store.runs.add([newRun(`r-${index}`)]);
    store.results.store(resultWrite(`r-${index}`, index + 1, { at_ms }));
  }
  const kept = () => times.map((_, index) => index).filter((index) => store.raw.of(`r-${index}`).length > 0);
  return { ...store, kept };
};

test('raw results older than a time are deleted', () => {
  const { raw, kept } = withResults([T0, T0 + 1000, T0 + 2000]);
  expect(raw.prune({ before_ms: T0 + 1000, max_bytes: 1e9, limit: 100 })).toBe(1);
  expect(kept()).toEqual([1, 2]);
});

test('the oldest raw results are deleted until the rest fits', () => {
  const { raw, kept } = withResults([T0 + 2000, T0, T0 + 1000]);
  expect(raw.prune({ before_ms: 0, max_bytes: 1e9, limit: 100 })).toBe(0);
  expect(raw.prune({ before_ms: 0, max_bytes: 2.5 * BYTES, limit: 100 })).toBe(1);
  expect(kept()).toEqual([0, 2]);
  expect(raw.prune({ before_ms: 0, max_bytes: 0, limit: 100 })).toBe(2);
  expect(kept()).toEqual([]);
});

test('a result whose output is gone is still known', () => {
  const { raw, results } = withResults([T0]);
  raw.prune({ before_ms: T0 + 1, max_bytes: 0, limit: 100 });
  expect(results.store(resultWrite('r-0', 1))).toBe('duplicate');
});
