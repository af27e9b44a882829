const BYTES: readonly (readonly [unit: string, size: number])[] = [
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
];

/** What people see in place of a number that is not there. */
export const NOTHING = '-';

/** Three significant digits, at most `decimals` of them after the point, whole numbers in full: 94.0, 0.042, 1234. */
export const figure = (value: number | null | undefined, decimals = 3): string => {
  if (value === null || value === undefined) return NOTHING;
  const rounded = Math.abs(Number(value.toPrecision(3)));
  const magnitude = rounded === 0 ? 0 : Math.floor(Math.log10(rounded));
  return value.toFixed(Math.min(decimals, Math.max(0, 2 - magnitude)));
};

/** bit/s → Mbit/s. */
export const megabits = (bits_per_second: number | null | undefined): string =>
  figure(bits_per_second == null ? bits_per_second : bits_per_second / 1e6, 2);

/** Bytes in decimal units, as data plans count them: `1.23 GB`. */
export const bytes = (number: number): string => {
  const [unit, factor] = BYTES.find(([, size]) => number >= size) ?? ['B', null];
  return `${factor === null ? number : figure(number / factor, 2)} ${unit}`;
};

/** RFC 3339 → `2026-11-22 02:00:01`, in UTC: whoever shows it says so. */
export const utc = (time: string | null): string =>
  time === null ? NOTHING : new Date(time).toISOString().slice(0, 19).replace('T', ' ');

/** `1 server`, `2 servers`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
