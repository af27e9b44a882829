import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reconnectDelayMs } from '../../broker/reconnect.ts';

const bounds = { min_ms: 1000, max_ms: 60_000 };

test('the ceiling of the wait doubles from the least to the most', () => {
  const ceilings = [0, 1, 2, 5, 6, 50, 5000].map((failures) => reconnectDelayMs(failures, bounds, 1));
  expect(ceilings).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000]);
});

test('the wait is spread evenly below the ceiling', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      expect(reconnectDelayMs(failures, bounds, random)).toBeCloseTo(random * reconnectDelayMs(failures, bounds, 1));
    }),
  );
});
