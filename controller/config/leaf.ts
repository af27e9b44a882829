import { isIP } from 'node:net';
import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';
import { didYouMean } from './did-you-mean.ts';
import { formatDuration, formatRate, formatSize, parseDuration, parseRate, parseSize, parseVolume } from './units.ts';

/** One value of the file: its schema, and in words what it wants to be. */
export interface Leaf<T> {
  expected: string;
  schema: z.ZodType<T>;
  hint?: (found: unknown) => string | undefined;
}

const leaf = <T>(expected: string, schema: z.ZodType<T>, hint?: Leaf<T>['hint']): Leaf<T> =>
  hint === undefined ? { expected, schema } : { expected, schema, hint };

/** A leaf from a function that gives null for what it refuses. */
const parsed = <T>(expected: string, parse: (value: unknown) => T | null, hint?: Leaf<T>['hint']): Leaf<T> =>
  leaf(
    expected,
    z.unknown().transform((value, context) => {
      const outcome = parse(value);
      if (outcome !== null) return outcome;
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    }),
    hint,
  );

/** The same value, or nothing. An absent key gives undefined, an explicit null gives null. */
export const optional = <T>(inner: Leaf<T>): Leaf<T | null | undefined> => ({
  ...inner,
  schema: inner.schema.nullish(),
});

/** Looked at later, by the code that knows what belongs there. */
export const anything: Leaf<unknown> = { expected: 'anything', schema: z.unknown() };

export const text = (what: string): Leaf<string> => leaf(what, z.string().min(1).max(255));

/** As everybody writes them: what looks otherwise may be the secret itself. */
export const variableName: Leaf<string> = leaf(
  'the name of a variable of the environment, such as INFLUX_TOKEN',
  z.string().regex(/^[A-Z_][A-Z0-9_]{0,254}$/),
);

export const id: Leaf<string> = leaf('1 to 64 letters, digits, "_" or "-"', Id);

export const wholeNumber = (what: string, min: number, max: number): Leaf<number> =>
  leaf(`${what}, a whole number from ${min} to ${max}`, z.int().min(min).max(max));

export const flag: Leaf<boolean> = leaf('true or false', z.boolean(), (found) =>
  typeof found === 'string' && /^(yes|no|on|off)$/i.test(found)
    ? `YAML 1.2 knows only true and false; write ${/^(yes|on)$/i.test(found)}`
    : undefined,
);

export const oneOf = <const T extends string>(...words: T[]): Leaf<T> =>
  leaf(`one of ${words.join(', ')}`, z.enum(words), (found) =>
    typeof found === 'string' ? didYouMean(found, words) : undefined,
  );

/** Milliseconds, from `min` to `max`; both ends are allowed. */
export const duration = (min: number, max: number): Leaf<number> =>
  parsed(
    `a duration from ${formatDuration(min)} to ${formatDuration(max)}`,
    (value) => {
      const ms = parseDuration(value);
      return ms !== null && ms >= min && ms <= max ? ms : null;
    },
    (found) => (typeof found === 'number' ? `a duration has a unit: "${found}s" for seconds` : undefined),
  );

/** Seconds: iperf3 takes nothing finer for a test. */
export const wholeSeconds = (min: number, max: number): Leaf<number> => {
  const span = `from ${formatDuration(min * 1000)} to ${formatDuration(max * 1000)}`;
  const within = duration(min * 1000, max * 1000);
  return parsed(
    `a duration in whole seconds ${span}`,
    (value) => {
      const ms = within.schema.safeParse(value).data;
      return ms !== undefined && ms % 1000 === 0 ? ms / 1000 : null;
    },
    within.hint,
  );
};

/** bit/s. Agents refuse more. */
export const rate: Leaf<number> = parsed('a rate from 1k to 1T bit/s, such as 500k, 20M or 1.5G', (value) => {
  const bits = parseRate(value);
  return bits !== null && bits >= 1e3 && bits <= 1e12 ? bits : null;
});

export const rateOrAuto: Leaf<number | 'auto'> = leaf(
  `${rate.expected}, or auto`,
  z.union([z.literal('auto'), rate.schema]),
);

/** Bytes, from `min` to `max`. */
export const size = (min: number, max: number): Leaf<number> =>
  parsed(`a size in bytes from ${formatSize(min)} to ${formatSize(max)}`, (value) => {
    const bytes = parseSize(value);
    return bytes !== null && bytes >= min && bytes <= max ? bytes : null;
  });

/** Decimal bytes, from `min` to `max`: how much was or may be moved. */
export const volume = (min: number, max: number): Leaf<number> =>
  parsed(`an amount of data from ${formatRate(min)} to ${formatRate(max)} bytes, such as 20G`, (value) => {
    const bytes = parseVolume(value);
    return bytes !== null && bytes >= min && bytes <= max ? bytes : null;
  });

const HOST =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;

/** A host name never starts with "-": iperf3 would take it for an option. */
export const hostName: Leaf<string> = parsed(
  'a host name or an IP address',
  (value) => (typeof value === 'string' && (HOST.test(value) || isIP(value) !== 0) ? value : null),
  (found) => {
    if (typeof found !== 'string') return undefined;
    if (/^\[.*\]$/.test(found)) return 'write an IPv6 address without brackets';
    return /:\d+$/.test(found) ? 'the port has its own key: port' : undefined;
  },
);
