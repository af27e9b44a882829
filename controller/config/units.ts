/** The units of the configuration file. Every `parse…` returns null for what it does not understand; every `format…` is its exact inverse. */

const MS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** Decimal, as link speeds and iperf3's `-b` are, and as providers count bytes. */
const DECIMAL: readonly (readonly [unit: string, factor: number])[] = [
  ['T', 1e12],
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
];

/** Binary, as iperf3's `-l` and `-w` are: its K is 1024. */
const SIZES: readonly (readonly [unit: string, factor: number])[] = [
  ['G', 1024 ** 3],
  ['M', 1024 ** 2],
  ['K', 1024],
];

const whole = (value: number): number | null => (Number.isSafeInteger(value) && value >= 0 ? value : null);

const scaled = (
  value: unknown,
  pattern: RegExp,
  units: readonly (readonly [unit: string, factor: number])[],
): number | null => {
  const [, digits, unit = ''] = (typeof value === 'string' && value.match(pattern)) || [];
  if (digits === undefined) return null;
  const factor = units.find(([name]) => name.toLowerCase() === unit.toLowerCase())?.[1] ?? 1;
  return whole(Math.round(Number(digits) * factor));
};

/** `10s`, `500ms`, `1.5h` → milliseconds. A number without a unit is refused, except 0. */
export const parseDuration = (value: unknown): number | null =>
  value === 0 ? 0 : scaled(value, /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/, MS);

/** `20M`, `1.5G`, `500k` or a whole number → bit/s. */
export const parseRate = (value: unknown): number | null =>
  typeof value === 'number' ? whole(value) : scaled(value, /^(\d+(?:\.\d+)?)([kKMGT]?)$/, DECIMAL);

/** `128K`, `1M` or a whole number → bytes. */
export const parseSize = (value: unknown): number | null =>
  typeof value === 'number' ? whole(value) : scaled(value, /^(\d+(?:\.\d+)?)([kKMG]?)$/, SIZES);

/** `20G`, `20GB`, `500M` or a whole number → bytes. */
export const parseVolume = (value: unknown): number | null =>
  typeof value === 'number' ? whole(value) : scaled(value, /^(\d+(?:\.\d+)?)([kKMGT]?)B?$/, DECIMAL);

/** Milliseconds in the largest unit that divides them: 18,000,000 → `5h`, 90,000 → `90s`. */
export const formatDuration = (ms: number): string => {
  if (ms === 0) return '0s';
  const [unit, factor] = MS.find(([, size]) => ms % size === 0) ?? ['ms', 1];
  return `${ms / factor}${unit}`;
};

/** bit/s, or decimal bytes, in the largest unit of which there is at least one: 1,500,000 → `1.5M`. */
export const formatRate = (bits_per_second: number): string => {
  const [unit, factor] = DECIMAL.find(([, size]) => bits_per_second >= size) ?? ['', 1];
  return `${bits_per_second / factor}${unit}`;
};

/** Bytes in the largest unit that divides them: 131,072 → `128K`. */
export const formatSize = (bytes: number): string => {
  const [unit, factor] = SIZES.find(([, size]) => bytes >= size && bytes % size === 0) ?? ['', 1];
  return `${bytes / factor}${unit}`;
};
