// @ts-check
import { spawnSync } from 'node:child_process';
import { stdioFor } from './files.mjs';
import { formatJson, fromBytes, parseJson, toBytes, toUtf8 } from './text.mjs';

/** @param {unknown} value @returns {string | null} */
const type = (value) => {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return 'array';
  if (value instanceof RegExp) return 'regexp';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'double';
  return typeof value === 'boolean' ? 'bool' : typeof value;
};

/** A number at the beginning. @param {unknown} value */
const int = (value) => (typeof value === 'string' ? Number.parseInt(value, 10) : Math.trunc(Number(value ?? 0)));

/** Groups after one that matched nothing are missing in 22.03. @param {string} text @param {RegExp} pattern */
const match = (text, pattern) => {
  const groups = pattern.exec(text);
  const unmatched = groups?.indexOf(/** @type {any} */ (undefined)) ?? -1;
  return unmatched < 0 ? groups : groups?.slice(0, unmatched);
};

/** @param {string} command @returns {number} */
const system = (command) => {
  const { status } = spawnSync('/bin/sh', ['-c', toUtf8(command)], { stdio: stdioFor(1) });
  return status ?? -1;
};

/** The builtin functions of ucode 22.03 that the agent uses, with ucode's meaning: a text is bytes. */
export const builtins = {
  length: (/** @type {unknown} */ value) =>
    typeof value === 'string' || Array.isArray(value) ? value.length : value && Object.keys(value).length,
  /** @template T @param {T[]} list @param {T[]} items */
  push: (list, ...items) => {
    list.push(...items);
    return items.at(-1);
  },
  /** @template T @param {T[]} list @param {(item: T, index: number) => unknown} keep */
  filter: (list, keep) => list.filter(keep),
  /** @template T, R @param {T[]} list @param {(item: T, index: number) => R} turn */
  map: (list, turn) => list.map(turn),
  /** @template T @param {T[]} list @param {(a: T, b: T) => number} compare */
  sort: (list, compare) => list.sort(compare),
  /** Added by the bundle: 22.03 has none. @template T @param {T[]} list @param {number} start @param {number} [end] */
  slice: (list, start, end) => list.slice(start, end),
  /** @param {string} separator @param {string[]} list */
  join: (separator, list) => list.join(separator),
  /** @param {string} text @param {string | RegExp} separator */
  split: (text, separator) => text.split(separator),
  keys: Object.keys,
  values: Object.values,
  /** @param {object} value @param {string} key */
  exists: (value, key) => Object.hasOwn(value, key),
  type,
  match,
  /** @param {string} source @param {string} [flags] */
  regexp: (source, flags) => new RegExp(source, flags),
  /** A text as a pattern is replaced everywhere. @param {string} text @param {string | RegExp} pattern @param {string} by */
  replace: (text, pattern, by) =>
    typeof pattern === 'string' ? text.replaceAll(pattern, by) : text.replace(pattern, by),
  /** @param {string | unknown[]} whole @param {any} part */
  index: (whole, part) => whole.indexOf(part),
  /** @param {string} text @param {number} offset @param {number} [count] */
  substr: (text, offset, count) => text.substr(offset, count),
  /** @param {string} text @param {number} offset */
  ord: (text, offset) => (offset < text.length ? text.charCodeAt(offset) : null),
  /** @param {string} text */
  lc: (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  /** @param {string} text */
  trim: (text) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''),
  json: parseJson,
  int,
  /** @param {string} text */
  hex: (text) => (/^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN),
  /** @param {string} text */
  hexenc: (text) => toBytes(text).toString('hex'),
  min: Math.min,
  max: Math.max,
  /** @param {'%J'} _format @param {unknown} value */
  sprintf: (_format, value) => formatJson(value),
  system,
  /** @param {string[]} texts */
  warn: (...texts) => process.stderr.write(toBytes(texts.join(''))),
  /** @param {string[]} texts */
  print: (...texts) => process.stdout.write(toBytes(texts.join(''))),
  /** @param {string} name */
  getenv: (name) => (process.env[name] === undefined ? null : fromBytes(process.env[name])),
  /** Seconds and nanoseconds. */
  clock: () => {
    const now = process.hrtime.bigint();
    return [Number(now / 1_000_000_000n), Number(now % 1_000_000_000n)];
  },
};
