import type { Measurement } from './measurement.ts';

/** The numbers of one direction, as a measurement has them. */
export type Figures = Omit<Measurement, 'test' | 'protocol' | 'direction'>;

/** Takes a note of what was dropped or derived. */
export type Warn = (warning: string) => void;

/** Bits per second, bytes, seconds of the receiver. */
export type Throughput = Pick<Figures, 'bits_per_second' | 'bytes' | 'seconds' | 'derived'>;

/** The mark of a throughput, or a loss, that iperf3 did not report as such. */
export const DERIVED = { derived: true } as const;

/** The value if it can be a quantity: finite and not negative. */
export const quantity = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;

/** The value as a count: a quantity, whole, and exact in a double. */
export const count = (value: number | undefined): number | undefined => {
  const whole = Math.round(quantity(value) ?? Number.NaN);
  return Number.isSafeInteger(whole) ? whole : undefined;
};

/** The sum of all values; undefined when one is missing or there is none. */
export const total = (values: (number | undefined)[]): number | undefined =>
  values.length === 0
    ? undefined
    : values.reduce((sum, value) => (sum === undefined || value === undefined ? undefined : sum + value), 0);

/** The mean of all values; undefined when one is missing or there is none. */
export const mean = (values: (number | undefined)[]): number | undefined =>
  quantity((total(values) ?? Number.NaN) / values.length);

/** Rate, bytes and seconds of iperf3 agree within 3%; of what differs by more than this factor one is damaged. */
const MAX_FACTOR = 2;

const areAlike = (one: number, other: number): boolean => one <= MAX_FACTOR * other && other <= MAX_FACTOR * one;

/**
 * Two of the three numbers give the third; null when two are missing or no number makes sense. A rate that says something quite different from
 * bytes and seconds is dropped: it is one number against two.
 */
export const throughput = (
  sum: { bytes?: number | undefined; seconds?: number | undefined; bits_per_second?: number | undefined } | undefined,
  warn: Warn,
): Throughput | null => {
  const reported = quantity(sum?.bits_per_second);
  const counted = count(sum?.bytes);
  const measured = quantity(sum?.seconds);
  // Where two are missing the others come out as NaN.
  const bits = 8 * (counted ?? Number.NaN);
  const carried = (reported ?? Number.NaN) * (measured ?? Number.NaN);
  const contradicts = !Number.isNaN(bits + carried) && !areAlike(bits, carried);
  const rate = contradicts ? undefined : reported;
  const seconds = quantity(measured ?? bits / (rate ?? Number.NaN));
  const bytes = counted ?? count(((rate ?? Number.NaN) * (seconds ?? Number.NaN)) / 8);
  const bits_per_second = quantity(rate ?? bits / (seconds ?? Number.NaN));
  if (bytes === undefined || bits_per_second === undefined || seconds === undefined) return null;
  if (contradicts) warn(`bits_per_second of ${reported} does not fit bytes and seconds, and was dropped`);
  if (rate === undefined) warn('bits_per_second is derived from bytes and seconds');
  if (counted === undefined) warn('bytes is derived from bits_per_second and seconds');
  if (measured === undefined) warn('seconds is derived from bytes and bits_per_second');
  return { bits_per_second, bytes, seconds, ...(rate === undefined ? DERIVED : {}) };
};

/** Only the numbers that are there: an absent field is left out, never undefined. */
export const present = <T extends Record<string, number | undefined>>(numbers: T): { [K in keyof T]?: number } => {
  const result: { [K in keyof T]?: number } = {};
  for (const key in numbers) {
    const value = numbers[key];
    if (value !== undefined) result[key] = value;
  }
  return result;
};
