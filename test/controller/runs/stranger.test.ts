import { expect, it } from 'vitest';
import { strangerRest } from '../../../controller/runs/stranger.ts';

const now = Date.parse('2026-11-22T02:00:00Z');
const held = (until: string | null) => ({ device: 'ap-1', run: 'r-1', token: 1, until });

it.each([
  ['is free', { device: null, run: null, token: null, until: null }, null],
  ['is held for ten more seconds', held('2026-11-22T02:00:10Z'), 50_000],
  ['was held until a while ago', held('2026-11-22T01:00:00Z'), 40_000],
  ['is held until a time that no lease has', held('2027-01-01T00:00:00Z'), 3_640_000],
  ['does not say until when', held(null), 3_640_000],
  ['says nonsense', held('soon'), 3_640_000],
])('a slot that %s lets its server rest for so long', (_, slot, rest_ms) => {
  expect(strangerRest(slot, now)).toBe(rest_ms);
});
