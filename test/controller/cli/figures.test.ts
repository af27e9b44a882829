import { expect, it } from 'vitest';
import { bytes, count, figure, megabits, utc } from '../../../controller/cli/figures.ts';

it.each([
  [0, 3, '0.00'],
  [0.00004, 3, '0.000'],
  [0.0421, 3, '0.042'],
  [4.2, 3, '4.20'],
  [9.999, 3, '10.0'],
  [94.01, 3, '94.0'],
  [99.96, 3, '100'],
  [1234.5, 3, '1235'],
  [31.4, 1, '31.4'],
  [0.25, 2, '0.25'],
  [null, 3, '-'],
  [undefined, 3, '-'],
])('%s with at most %i decimals is %s', (value, decimals, text) => {
  expect(figure(value, decimals)).toBe(text);
});

it('rates are in Mbit/s', () => {
  expect([94012345.6, 9_940_000_000, 64_000, null].map((rate) => megabits(rate))).toEqual([
    '94.0',
    '9940',
    '0.06',
    '-',
  ]);
});

it('bytes are in the units of data plans', () => {
  expect([0, 999, 1000, 1_234_567, 20e9, 5.5e12].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.00 kB',
    '1.23 MB',
    '20.0 GB',
    '5.50 TB',
  ]);
});

it('times are in UTC, whatever zone they were given in', () => {
  expect([utc('2026-11-22T03:00:01.250+01:00'), utc(null)]).toEqual(['2026-11-22 02:00:01', '-']);
});

it('one thing is singular', () => {
  expect([count(0, 'server'), count(1, 'server'), count(2, 'server')]).toEqual(['0 servers', '1 server', '2 servers']);
});
