import { expect, it } from 'vitest';
import { limitWarnings } from '../../../controller/runs/limit-warnings.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';

const up = testPlan();

it.each([
  [
    'a test without a bitrate got one',
    null,
    100e6,
    ['tcp-upload: limited to 100 Mbit/s, the max_bitrate of server s-1'],
  ],
  ['a test got a lower bitrate', 1e9, 2.5e6, ['tcp-upload: limited to 2.5 Mbit/s, the max_bitrate of server s-1']],
  ['a test got what it was planned with', 100e6, 100e6, []],
  ['the bitrate is still to be measured', 'auto' as const, 'auto' as const, []],
])('when %s', (_, planned, granted, warnings) => {
  expect(limitWarnings([{ ...up, bitrate: planned }], [{ ...up, bitrate: granted }], 's-1')).toEqual(warnings);
});

it('a test that was never planned is not judged', () => {
  expect(limitWarnings([], [{ ...up, bitrate: 5 }], 's-1')).toEqual([]);
});
