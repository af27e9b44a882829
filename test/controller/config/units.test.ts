import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { didYouMean } from '../../../controller/config/did-you-mean.ts';
import {
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseSize,
  parseVolume,
} from '../../../controller/config/units.ts';

describe('durations', () => {
  test.each([
    ['0s', 0],
    [0, 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['5h', 18_000_000],
    ['1d', 86_400_000],
    ['10', null],
    [10, null],
    ['10 s', null],
    ['-1s', null],
    ['1e3s', null],
    ['1h30m', null],
    ['5H', null],
    ['.5s', null],
    ['', null],
    [`${'9'.repeat(20)}d`, null],
    [null, null],
  ])('%j is %j ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    [0, '0s'],
    [1500, '1500ms'],
    [90_000, '90s'],
    [18_000_000, '5h'],
    [172_800_000, '2d'],
    [0.5, '0.5ms'],
  ])('%d ms is written %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

test.each([
  ['20G', 20e9],
  ['20GB', 20e9],
  ['1.5T', 1.5e12],
  ['500kB', 500_000],
  [1_000_000, 1e6],
  ['20GiB', null],
  ['20g', null],
  ['-1G', null],
  [true, null],
])('the amount of data %j is %j bytes', (text, bytes) => expect(parseVolume(text)).toBe(bytes));

describe('rates', () => {
  test.each([
    ['0', 0],
    [64_000, 64_000],
    ['500k', 500_000],
    ['500K', 500_000],
    ['20M', 20_000_000],
    ['1.5G', 1_500_000_000],
    ['1T', 1e12],
    ['20m', null],
    ['20Mbit', null],
    [1.5, null],
    [-1, null],
    [Number.NaN, null],
    [true, null],
  ])('%j is %j bit/s', (text, bits) => expect(parseRate(text)).toBe(bits));

  test.each([
    [0, '0'],
    [999, '999'],
    [500_000, '500k'],
    [1_500_000, '1.5M'],
    [20_000_000_000, '20G'],
  ])('%d bit/s is written %s', (bits, text) => expect(formatRate(bits)).toBe(text));
});

describe('sizes', () => {
  test.each([
    [1460, 1460],
    ['1460', 1460],
    ['128K', 131_072],
    ['128k', 131_072],
    ['1M', 1_048_576],
    ['0.5G', 536_870_912],
    ['128KB', null],
    [[], null],
  ])('%j is %j bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    [0, '0'],
    [1500, '1500'],
    [131_072, '128K'],
    [3_145_728, '3M'],
  ])('%d bytes are written %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));
});

test('what is formatted is parsed back to the same number', () => {
  const number = fc.integer({ min: 0, max: 1e13 });
  fc.assert(
    fc.property(number, (value) => {
      expect(parseDuration(formatDuration(value))).toBe(value);
      expect(parseRate(formatRate(value))).toBe(value);
      expect(parseSize(formatSize(value))).toBe(value);
    }),
  );
});

test.each([
  ['prot', ['host', 'port'], 'did you mean "port"?'],
  ['HOST', ['host', 'port'], 'did you mean "host"?'],
  ['timezon', ['window', 'timezone'], 'did you mean "timezone"?'],
  ['password', ['url', 'username'], undefined],
  ['x', ['y'], undefined],
  ['x'.repeat(65), ['x'.repeat(64)], undefined],
])('for %j among %j the hint is %j', (word, known, hint) => expect(didYouMean(word, known)).toBe(hint));
