import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_CHECK } from '../../../controller/config/check-section.ts';
import { checkOf, checksOf, isScheduled, testsOf } from '../../../controller/schedule/check-of.ts';
import { organization } from './fleet-memory.ts';

const [, acme] = organization(
  'acme',
  { enabled: false },
  {
    lte: { retries: 0, spread: 'even' },
    gold: { priority: 50, retries: 5 },
    idle: {},
  },
);

describe('the check of a device', () => {
  test('is that of its organization, unless its tags change it', () => {
    expect(checkOf(acme, [])).toBe(acme.check);
    expect(checkOf(acme, ['roof'])).toBe(acme.check);
    expect(checkOf(acme, ['idle'])).toEqual(acme.check);
    expect(checkOf(acme, ['lte'])).toEqual({ ...acme.check, retries: 0, spread: 'even' });
  });

  test('with two tags that say different things is that of the later one in the configuration', () => {
    const both = { ...acme.check, spread: 'even', priority: 50, retries: 5 };
    expect(checkOf(acme, ['lte', 'gold'])).toEqual(both);
    expect(checkOf(acme, ['gold', 'lte', 'lte'])).toEqual(both);
  });

  test('is made once for each set of tags that makes a difference', () => {
    const checks = checksOf(acme);
    const tags = fc.subarray(['lte', 'roof', 'gold', 'idle', '0', '1'], { minLength: 0 });
    fc.assert(
      fc.property(tags, (own) => {
        expect(checks(own)).toEqual(checkOf(acme, own));
        expect(checks(own)).toBe(checks(own.toReversed()));
      }),
    );
    expect(checksOf({ check: acme.check, tags: [] })(['lte'])).toBe(acme.check);
  });

  test('shares its tests with all others', () => expect(checkOf(acme, ['lte']).tests).toBe(DEFAULT_CHECK.tests));
});

test('an organization is measured by schedule when its check is enabled, or that of a tag', () => {
  expect(isScheduled(acme)).toBe(false);
  expect(isScheduled({ ...acme, check: { ...acme.check, enabled: true } })).toBe(true);
  expect(isScheduled({ ...acme, tags: [{ tag: 'lte', check: { enabled: false } }] })).toBe(false);
  expect(isScheduled({ ...acme, tags: [{ tag: 'lte', check: { enabled: true } }] })).toBe(true);
});

test('all tests that devices may get are those of the organization and of its tags', () => {
  const tests = DEFAULT_CHECK.tests.slice(0, 1);
  expect(testsOf({ ...acme, tags: [...acme.tags, { tag: 'short', check: { tests } }] })).toEqual([
    DEFAULT_CHECK.tests,
    tests,
  ]);
});
