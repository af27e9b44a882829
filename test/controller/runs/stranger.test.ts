import { expect, it } from 'vitest';
import { strangerRest } from '../../../controller/runs/stranger.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';

const free = { device: null, run: null, token: null, until: null, length_ms: null, state: null };
const held = (length_ms: number | null, until: string | null = '2026-11-22T02:00:10Z') => ({
  ...free,
  ...{ device: 'ap-1', run: 'r-1', token: 1, until, length_ms, state: 'leased' },
});
const hours = (count: number) => Array.from({ length: count }, () => testPlan({ duration_s: 3600, omit_s: 60 }));

/** 32 tests of 1 h with 60 s of omit: their limits, 5 s of retries, 6 s to the deadline, and a rest of 1 h, 60 s and 40 s. */
const LONGEST_MS = 32 * 3_670_000 + 11_000 + 3_700_000;

it.each([
  ['is free', free, [hours(1)], null],
  ['says how long its lease is', held(83_000), [hours(1)], 83_000],
  ['was held until long ago by a clock that is ahead', held(83_000, '2020-01-01T00:00:00Z'), [], 83_000],
  ['is held until far away by a clock that is behind', held(83_000, '2099-01-01T00:00:00Z'), [], 83_000],
  ['has the longest lease that there is', held(LONGEST_MS), [], LONGEST_MS],
  ['does not say how long, where our own checks are short', held(null), [[testPlan()], []], 900_000],
  ['does not say how long, where one of our checks is long', held(null, null), [[testPlan()], hours(32)], LONGEST_MS],
])('a slot that %s lets its server rest for so long', (_, slot, plans, rest_ms) => {
  expect(strangerRest(slot, plans)).toBe(rest_ms);
});
