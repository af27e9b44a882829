import { describe, expect, it } from 'vitest';
import {
  inForce,
  nextEnd,
  type Suppression,
  type SuppressionScope,
  sameScope,
  scopeWords,
  suppressesDevice,
  suppressesServer,
} from '../../../controller/schedule/suppression.ts';

const device = { device: 'ap-12', organization: 'acme', tags: ['lte', 'roof'] };
const fleet: SuppressionScope = { scope: 'fleet' };
const named = (scope: Exclude<SuppressionScope['scope'], 'fleet'>, name: string): SuppressionScope => ({ scope, name });

it.each([
  [fleet, true, true],
  [named('organization', 'acme'), true, false],
  [named('organization', 'other'), false, false],
  [named('device', 'ap-12'), true, false],
  [named('device', 'acme'), false, false],
  [named('tag', 'roof'), true, false],
  [named('tag', 'acme'), false, false],
  [named('server', 'milan-1'), false, true],
  [named('server', 'ap-12'), false, false],
])('%j keeps the device from being measured: %s; the server from being used: %s', (what, ofDevice, ofServer) => {
  expect(suppressesDevice([what], device)).toBe(ofDevice);
  expect(suppressesServer([what], 'milan-1')).toBe(ofServer);
});

it('without suppressions everything goes on', () => {
  expect(suppressesDevice([], device)).toBe(false);
  expect(suppressesServer([], 'milan-1')).toBe(false);
});

describe('time', () => {
  const until = (until_ms: number | null): Suppression => ({ what: fleet, until_ms, reason: null, since_ms: 0 });

  it('ends a suppression at its `until`, and never one that has none', () => {
    expect(inForce([until(10), until(null), until(11)], 10)).toEqual([until(null), until(11)]);
    expect(inForce([until(10)], 9)).toHaveLength(1);
  });

  it('has a next moment at which one of those in force ends', () => {
    expect(nextEnd([until(5), until(30), until(20), until(null)], 10)).toBe(20);
    expect(nextEnd([until(5), until(null)], 10)).toBeNull();
  });
});

it('people read what is suppressed in words', () => {
  expect([fleet, named('server', 'milan-1'), named('tag', 'lte')].map(scopeWords)).toEqual([
    'the fleet',
    'server milan-1',
    'every device with tag lte',
  ]);
  expect(sameScope(named('device', 'a'), named('tag', 'a'))).toBe(false);
  expect(sameScope(named('device', 'a'), named('device', 'a'))).toBe(true);
});
