/** One thing that is wrong with a configuration file. */
export interface Problem {
  /** `servers.milan-1.port`, `check.tests[2].bitrate`; empty for the file as a whole. */
  path: string;
  line: number | null;
  /** What is there, in words; a secret is never shown. */
  found: string;
  expected: string;
  hint?: string;
}

/** Keys and list positions from the top of the file. */
export type Path = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z0-9_.-]{1,64}$/;

/** A key as a message shows it: a strange one is cut short, it may be a secret that lost its key. */
export const showKey = (key: string): string =>
  PLAIN_KEY.test(key) ? key : `"${key.replace(/[^A-Za-z0-9_.-].*/s, '').slice(0, 20)}…"`;

/** At most so much of a text is shown. */
const SHOWN = 60;

/** A text in quotes, cut when it is long; what could steer a terminal is escaped, and a URL loses its user and password. */
const quoted = (text: string): string => {
  const open = text.replace(/\/\/.*@/s, '//…@');
  return JSON.stringify(open.length > SHOWN ? `${open.slice(0, SHOWN)}…` : open).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`,
  );
};

/** A name that a person chose, as a message shows it: whole, as nobody chooses a secret for a name. */
export const showName = (name: string): string => (PLAIN_KEY.test(name) ? name : quoted(name));

/** The sections whose keys are names. */
const NAMED = new Set<string | number | undefined>([
  'servers',
  'host_groups',
  'uplink_groups',
  'organizations',
  'receivers',
  'ssh_credentials',
]);

/** `['check', 'tests', 2, 'bitrate']` → `check.tests[2].bitrate`. */
export const showPath = (path: Path): string =>
  path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const show = index === 1 && NAMED.has(path[0]) ? showName : showKey;
      return `${index === 0 ? '' : '.'}${show(step)}`;
    })
    .join('');

const SECRETIVE = /pass|secret|token|credential|key/i;

const kindOf = (value: unknown): string => {
  if (typeof value === 'string') return 'a text';
  return typeof value === 'boolean' ? 'true or false' : 'a number';
};

/**
 * A value as a message shows it. Under a key that sounds secret only its type is shown, the same where the whole file is one value, and
 * a URL loses its user and password: people put a password where the name of its file belongs.
 */
export const showValue = (path: Path, value: unknown): string => {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const secretive = path.some((step) => typeof step === 'string' && SECRETIVE.test(step));
  if (secretive || path.length === 0) return `${kindOf(value)} (not shown)`;
  return typeof value === 'string' ? quoted(value) : String(value);
};

/** One problem on one line. */
export const problemInLine = ({ path, line, found, expected, hint }: Problem): string => {
  const place = [line === null ? '' : `line ${line}`, path].filter((part) => part !== '').join(', ') || 'the file';
  return `${place}: found ${found}, expected ${expected}${hint === undefined ? '' : ` (${hint})`}`;
};

/** What a person sees: one entry a problem, in the order of the file, and how many there are. */
export const formatProblems = (problems: readonly Problem[], file: string): string => {
  const entries = problems.map(({ path, line, found, expected, hint }) => {
    const place = [line === null ? '' : `line ${line}`, path].filter((part) => part !== '').join(', ') || 'the file';
    const rows = [`${place}`, `  found:    ${found}`, `  expected: ${expected}`];
    return [...rows, ...(hint === undefined ? [] : [`  hint:     ${hint}`])].join('\n');
  });
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [`${file} was refused`, ...entries, `${count} in ${file}`].join('\n\n');
};
