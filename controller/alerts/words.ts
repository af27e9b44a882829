import { formatDuration } from '../config/units.ts';

/** Scales of a unit, largest first. */
const DECIMAL = [
  ['T', 1e12],
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
  ['', 1],
] as const;

const rounded = (value: number, digits: number): string => `${Number(value.toPrecision(digits))}`;

const scaled = (unit: string) => (value: number, digits: number) => {
  const [prefix, factor] = DECIMAL.find(([, size]) => Math.abs(value) >= size) ?? (['', 1] as const);
  return `${rounded(value / factor, digits)} ${prefix}${unit}`;
};

/** By the end of the metric's name. What has no unit is a count, and is not rounded. */
const UNITS: readonly (readonly [end: string, show: (value: number, digits: number) => string])[] = [
  ['.bits_per_second', scaled('bit/s')],
  ['.cross_traffic', scaled('bit/s')],
  ['.bytes', scaled('B')],
  ['.seconds', (value, digits) => `${rounded(value, digits)} s`],
  ['_ms', (value, digits) => `${rounded(value, digits)} ms`],
  ['_percent', (value, digits) => `${rounded(value, digits)}%`],
];

const DIGITS = 3;

const show = (metric: string, value: number, digits: number): string => {
  const [, unit] = UNITS.find(([end]) => metric.endsWith(end)) ?? [];
  return unit === undefined ? `${value}` : unit(value, digits);
};

/** A value with its unit, in three digits: `18.2 Mbit/s`, `31 ms`, `2.5%`. */
export const figure = (metric: string, value: number): string => show(metric, value, DIGITS);

/** Two values as they are compared: with as many digits as it takes to tell them apart. */
export const figures = (metric: string, one: number, other: number): [string, string] => {
  for (let digits = DIGITS; digits < 15; digits++) {
    const pair: [string, string] = [show(metric, one, digits), show(metric, other, digits)];
    if (one === other || pair[0] !== pair[1]) return pair;
  }
  return [`${one}`, `${other}`];
};

/** `in 2 of 3 runs`; nothing of a rule that looks at one run only. */
export const inRuns = (count: number, of: number): string => (of === 1 ? '' : ` in ${count} of ${of} runs`);

/** `7 days`, `36h`. */
export const span = (ms: number): string => {
  const days = ms / 86_400_000;
  if (!Number.isInteger(days)) return formatDuration(ms);
  return days === 1 ? '1 day' : `${days} days`;
};

/** `a`, `a and b`, `a, b and c`. */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
