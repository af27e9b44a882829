import { expect, test } from 'vitest';
import * as numbers from '../../../broker/contract/numbers.ts';

test('a test may take its duration, its omitted seconds and ten more', () => {
  expect(numbers.testLimitMs(10, 2)).toBe(22_000);
});

test('a prepared agent always has a fresh nonce: one is sent twice in each start window', () => {
  expect(2 * numbers.READY_INTERVAL_MS).toBeLessThanOrEqual(numbers.START_WINDOW_MS);
});

test('the retries in the first moments fit into what a lease adds to its tests', () => {
  const retries = numbers.RETRY_DELAYS_MS.reduce((sum, delay) => sum + delay, 0);
  expect(retries + numbers.KILL_AFTER_TERM_MS).toBeLessThan(numbers.LEASE_SLACK_MS);
});
