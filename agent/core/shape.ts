/** Checks of values that came from outside. The agent has no zod, and its core must run in ucode. */

export const isObject = (value: unknown): value is { [key: string]: unknown } => type(value) === 'object';

export const isList = (value: unknown): value is unknown[] => type(value) === 'array';

/** The whole text matches, also when it has a NUL byte, at which a POSIX matcher stops. */
export const fits = (value: unknown, pattern: RegExp): value is string => {
  if (type(value) !== 'string') return false;
  const text = value as string;
  const found = match(text, pattern);
  return found != null && length(found[0]) === length(text);
};

/** Ids of runs, tests and nonces: safe in topics and file names. */
export const isId = (value: unknown): value is string => fits(value, /^[A-Za-z0-9_-]{1,64}$/);

/** A whole number between `low` and `high`, both included. */
export const isWhole = (value: unknown, low: number, high: number): value is number =>
  type(value) === 'int' && (value as number) >= low && (value as number) <= high;

/** Text of at most `limit` bytes without control characters other than line ends. */
export const isText = (value: unknown, limit: number): value is string => {
  if (type(value) !== 'string') return false;
  const text = value as string;
  if (length(text) > limit) return false;
  for (let i = 0; i < length(text); i++) {
    const code = ord(text, i);
    if ((code < 32 && code !== 10 && code !== 13) || code === 127) return false;
  }
  return true;
};

/** One line of such text: may go into an environment variable. */
export const isLine = (value: unknown, limit: number): value is string =>
  isText(value, limit) && index(value, '\n') < 0 && index(value, '\r') < 0;

/** Fencing tokens: whole numbers that a JSON parser keeps exactly. */
export const isToken = (value: unknown): value is number => isWhole(value, 1, 9007199254740991);

/** A field of an object from outside; null when it is absent, or the value is no object. */
export const field = (value: unknown, name: string): unknown => (isObject(value) ? (value[name] ?? null) : null);
