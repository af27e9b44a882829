import { expect, test } from 'vitest';
import { openStore } from './open-store.ts';
import { newRun } from './samples.ts';

test('a night and its runs are written together, and the last night of each organization is remembered', () => {
  const { nights, runs } = openStore();
  expect(nights.history()).toEqual(new Map());
  const night = { origin: 'schedule', night: 'acme/1' } as const;
  expect(nights.plan([newRun('r-1', night)], new Map([['acme', 'acme/1']]))).toEqual(['r-1']);
  expect(nights.plan([newRun('r-2', night)], new Map([['other', 'other/1']]))).toEqual([]);
  nights.plan([], new Map([['acme', 'acme/2']]));
  expect(nights.history()).toEqual(
    new Map([
      ['acme', 'acme/2'],
      ['other', 'other/1'],
    ]),
  );
  expect(runs.open().map(({ run }) => run)).toEqual(['r-1']);
});

test('runs that can not be added leave the night unplanned', () => {
  const { nights } = openStore();
  const broken = { ...newRun('r-1'), requested_at_ms: Number.NaN };
  expect(() => nights.plan([broken], new Map([['acme', 'acme/1']]))).toThrow();
  expect(nights.history()).toEqual(new Map());
});
