type Of<T> = readonly T[];

/** ucode's name of a value's type; null for null and undefined. */
const typeName = (value: unknown): string | null => {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'double';
  return typeof value === 'boolean' ? 'bool' : typeof value;
};

/** The builtins of `core/ucode.d.ts`, with ucode's meaning. */
const builtins = {
  length: (value: string | Of<unknown>) => (typeof value === 'string' ? Buffer.byteLength(value) : value.length),
  push: <T>(list: T[], ...items: T[]) => {
    list.push(...items);
    return items.at(-1);
  },
  filter: <T>(list: Of<T>, keep: (item: T, index: number) => boolean) => list.filter(keep),
  map: <T, R>(list: Of<T>, turn: (item: T, index: number) => R) => list.map(turn),
  slice: <T>(list: Of<T>, start: number, end?: number) => list.slice(start, end),
  join: (separator: string, list: Of<string>) => list.join(separator),
  type: typeName,
  match: (text: string, pattern: RegExp) => text.match(pattern)?.map((group) => group ?? null) ?? null,
  replace: (text: string, pattern: RegExp, replacement: string) => text.replace(pattern, () => replacement),
  split: (text: string, separator: string) => text.split(separator),
  index: (text: string, part: string) => text.indexOf(part),
  substr: (text: string, offset: number, count = text.length) => text.slice(offset, offset + count),
  ord: (text: string, offset: number) => text.charCodeAt(offset),
  lc: (text: string) => text.toLowerCase(),
  json: (text: string): unknown => JSON.parse(text),
  int: (value: number | string) => Math.trunc(Number(value)),
  min: Math.min,
  max: Math.max,
  sprintf: (_format: '%J', value: unknown) => JSON.stringify(value),
};

// The portable part calls them as globals, as ucode does. Importing this file is the one import that has an effect.
Object.assign(globalThis, builtins);
