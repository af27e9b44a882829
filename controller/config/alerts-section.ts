import { z } from 'zod';
import { BUILT_IN, HOST_KEY } from './built-in-alerts.ts';
import { anything, duration, flag, id, type Leaf, oneOf, optional, wholeNumber } from './leaf.ts';
import { metric, percentage, threshold } from './metric-leaf.ts';
import type { Path } from './problem.ts';
import { keysIn, type Reader } from './reader.ts';
import type { AlertCondition, AlertScope, AlertSettings } from './settings.ts';

const DAY_MS = 86_400_000;
const MAX_OF = 100;
const DEFAULT_OVER_MS = 7 * DAY_MS;

/** In the place of a percentage that is wrong, and reported: nearly any `clear` goes with it. */
const WRONG_DROP = 99;

/** What no value is above; of every other metric there is no end. */
const MOST: readonly (readonly [end: string, most: number])[] = [
  ['run.success', 1],
  ['.lost_percent', 100],
];

const ofLast: Leaf<{ breaches: number; of: number }> = {
  expected: `N or "N of M", such as 2 of 3, with N at most M and M at most ${MAX_OF}`,
  schema: z.union([z.int(), z.string()]).transform((words, context) => {
    const [, least, last = least] = /^(\d{1,3})(?: of (\d{1,3}))?$/.exec(`${words}`) ?? [];
    const [breaches, of] = [Number(least), Number(last)];
    if (breaches >= 1 && breaches <= of && of <= MAX_OF) return { breaches, of };
    context.addIssue({ code: 'custom', message: 'not N of M' });
    return z.NEVER;
  }),
};

/** What every rule has. */
const COMMON = {
  name: id,
  enabled: optional(flag),
  severity: optional(oneOf('info', 'warning', 'critical')),
  where: optional(anything),
  notify: optional(anything),
};

const DEVICE_RULE = { ...COMMON, for: optional(ofLast), retest: optional(flag) };

const OWN_RULE = {
  ...DEVICE_RULE,
  metric,
  below: optional(anything),
  above: optional(anything),
  drop: optional(percentage),
  over: optional(duration(DAY_MS, 90 * DAY_MS)),
  clear: optional(anything),
};

const SERVER_RULE = { ...COMMON, for: optional(wholeNumber('how many devices in a row', 1, MAX_OF)) };

const WHERE = {
  organization: optional(id),
  tag: optional(id),
  device: optional(id),
  server: optional(id),
  uplink_group: optional(id),
};

/** The names under other sections that a rule may point to, and whether the built-in rules are on by themselves. */
export interface Known {
  organizations: ReadonlySet<string>;
  servers: ReadonlySet<string>;
  uplink_groups: ReadonlySet<string>;
  receivers: ReadonlySet<string>;
  built_in: boolean;
  /** Whether devices may be reached over SSH. */
  ssh: boolean;
}

const readWhere = (reader: Reader, path: Path, raw: unknown, known: Known): AlertScope => {
  const given = reader.fields(path, raw, WHERE);
  const { organization = null, tag = null, device = null, server = null, uplink_group = null } = given;
  reader.reference([...path, 'organization'], organization, known.organizations, 'organizations');
  reader.reference([...path, 'server'], server, known.servers, 'servers');
  reader.reference([...path, 'uplink_group'], uplink_group, known.uplink_groups, 'uplink_groups');
  return { organization, tag, device, server, uplink_group };
};

/** Every receiver, unless the rule names some. */
const readNotify = (reader: Reader, path: Path, raw: unknown, known: Known): string[] => {
  if (raw === undefined || raw === null) return [...known.receivers];
  const names = new Set<string>();
  return reader.list(path, raw, 'receivers').flatMap((entry, index) => {
    const name = reader.value([...path, index], entry, id);
    reader.reference([...path, index], name, known.receivers, 'receivers');
    if (name !== undefined && names.has(name)) {
      reader.problem([...path, index], `"${name}" a second time`, 'each receiver once');
    }
    if (name !== undefined) names.add(name);
    return name ?? [];
  });
};

const KINDS = ['below', 'above', 'drop'] as const;

/** Null, and a problem, when there is not exactly one. */
const readKind = (reader: Reader, path: Path, keys: ReadonlySet<string>): (typeof KINDS)[number] | null => {
  const [kind, ...more] = KINDS.filter((key) => keys.has(key));
  if (kind !== undefined && more.length === 0) return kind;
  const found = kind === undefined ? 'none of below, above and drop' : [kind, ...more].join(' and ');
  reader.problem(path, found, 'exactly one of below, above and drop');
  return null;
};

const readDrop = (reader: Reader, path: Path, given: { percent: number; raw_clear: unknown; over_ms: number }) => {
  const { percent, raw_clear, over_ms } = given;
  const clear = reader.value([...path, 'clear'], raw_clear, optional(percentage)) ?? percent;
  if (percent === 0 || percent === 100)
    reader.problem([...path, 'drop'], `${percent}%`, 'a percentage over 0% and under 100%: no value drops by more');
  if (clear > percent) reader.problem([...path, 'clear'], `${clear}%`, `a percentage up to that of drop, ${percent}%`);
  return { kind: 'drop', percent, clear, over_ms } as const;
};

const readLimit = (
  reader: Reader,
  path: Path,
  {
    kind,
    metric: name,
    raw,
    raw_clear,
  }: { kind: 'below' | 'above'; metric: string | undefined; raw: unknown; raw_clear: unknown },
): AlertCondition => {
  if (name === undefined) return { kind, threshold: 1, clear: 1 };
  const unit = threshold(name);
  const limit = reader.value([...path, kind], raw, unit);
  const clear = reader.value([...path, 'clear'], raw_clear, optional(unit)) ?? limit;
  if (kind === 'below' && limit === 0) reader.problem([...path, kind], '0', 'more than 0: no value is below that');
  const [, most = Number.POSITIVE_INFINITY] = MOST.find(([end]) => name.endsWith(end)) ?? [];
  if (kind === 'above' && limit !== undefined && limit >= most)
    reader.problem([...path, kind], `${limit}`, `less than ${most}: no value is above that`);
  if (limit !== undefined && clear !== undefined && (kind === 'below' ? clear < limit : clear > limit)) {
    const side = kind === 'below' ? 'at or over' : 'at or under';
    reader.problem([...path, 'clear'], `${clear}`, `a number ${side} the threshold, ${limit}`);
  }
  return { kind, threshold: limit ?? 0, clear: clear ?? 0 };
};

interface Read {
  rule: AlertSettings;
  /** What the rule itself says about it; null when it says nothing. */
  enabled: boolean | null;
}

const readOwnRule = (reader: Reader, path: Path, raw: unknown, known: Known): Read => {
  const given = reader.fields(path, raw, OWN_RULE);
  const keys = keysIn(raw);
  const kind = readKind(reader, path, keys);
  if (kind !== 'drop' && keys.has('over')) reader.problem([...path, 'over'], 'over without drop', 'drop beside it');
  if (kind === 'drop' && given.metric === 'run.success') {
    reader.problem([...path, 'drop'], 'drop of run.success', 'below: 1, as a run succeeds or does not');
  }
  const common = { raw_clear: given.clear, metric: given.metric };
  const condition =
    kind === 'drop'
      ? readDrop(reader, path, { ...common, percent: given.drop ?? WRONG_DROP, over_ms: given.over ?? DEFAULT_OVER_MS })
      : readLimit(reader, path, { ...common, kind: kind ?? 'below', raw: kind === null ? 1 : given[kind] });
  const rule: AlertSettings = {
    name: given.name ?? '',
    subject: 'device',
    metric: given.metric ?? '',
    condition,
    ...(given.for ?? { breaches: 1, of: 1 }),
    severity: given.severity ?? 'warning',
    retest: given.retest ?? false,
    where: readWhere(reader, [...path, 'where'], given.where, known),
    notify: readNotify(reader, [...path, 'notify'], given.notify, known),
  };
  return { rule, enabled: given.enabled ?? true };
};

/** What a rule of the file may change of a built-in one. */
const readFields = (reader: Reader, path: Path, raw: unknown, { subject, metric }: AlertSettings) => {
  if (metric === HOST_KEY) return { ...reader.fields(path, raw, COMMON), for: undefined };
  return subject === 'device' ? reader.fields(path, raw, DEVICE_RULE) : reader.fields(path, raw, SERVER_RULE);
};

/** A rule of the file that changes a built-in one, key by key. */
const readChanges = (reader: Reader, path: Path, raw: unknown, known: Known, base: AlertSettings): Read => {
  const { name, enabled = null, ...given } = readFields(reader, path, raw, base);
  const where = readWhere(reader, [...path, 'where'], given.where, known);
  if (base.subject === 'server') {
    for (const [key, value] of Object.entries({ ...where, server: null })) {
      if (value !== null) reader.problem([...path, 'where', key], `${key} for ${base.name}`, 'only server');
    }
  }
  const count = typeof given.for === 'number' ? { breaches: given.for, of: given.for } : given.for;
  const rule = {
    ...base,
    ...count,
    severity: given.severity ?? base.severity,
    retest: ('retest' in given ? given.retest : null) ?? base.retest,
    where,
    notify: readNotify(reader, [...path, 'notify'], given.notify, known),
  };
  return { rule, enabled };
};

/** The built-in rule that an entry of the file changes, if it changes one. */
const builtInOf = (raw: unknown): AlertSettings | undefined => {
  const name = typeof raw === 'object' && raw !== null && 'name' in raw ? raw.name : undefined;
  return typeof name === 'string' ? BUILT_IN.get(name) : undefined;
};

const readRule = (reader: Reader, path: Path, raw: unknown, known: Known): Read => {
  const base = builtInOf(raw);
  return base === undefined ? readOwnRule(reader, path, raw, known) : readChanges(reader, path, raw, known, base);
};

/** A single rule, by itself or as a list of one, whether or not it is on. */
export const readAlertRule = (reader: Reader, raw: unknown, known: Known): AlertSettings => {
  const isList = Array.isArray(raw);
  if (isList && raw.length !== 1) reader.problem([], `a list of ${raw.length} rules`, 'one rule, as under alerts');
  return readRule(reader, isList ? [0] : [], isList ? raw[0] : raw, known).rule;
};

/**
 * `alerts`: the rules that are on, those of the file in its order, after the built-in ones that it does not name. Without a word in the
 * file these are on when somebody is measured by schedule and somebody can be told;
 * the one about host keys as soon as there are SSH credentials, as such a device is not measured until a person has looked.
 */
export const readAlerts = (reader: Reader, raw: unknown, known: Known): AlertSettings[] => {
  const names = new Set<string>();
  const read = reader.list(['alerts'], raw, 'alert rules').map((entry, index): Read => {
    const path = ['alerts', index];
    const one = readRule(reader, path, entry, known);
    const { name } = one.rule;
    if (names.has(name))
      reader.problem([...path, 'name'], `"${name}" a second time`, 'a name of its own for each rule');
    // Alerts are kept by the name of their rule in a plain object, where these mean something else.
    if (name in Object.prototype) reader.problem([...path, 'name'], `"${name}"`, 'another name: this one is reserved');
    if (name !== '') names.add(name);
    return one;
  });
  const unnamed = [...BUILT_IN.values()].filter(({ name }) => !names.has(name));
  const untouched = unnamed.map((rule) => ({ rule: { ...rule, notify: [...known.receivers] }, enabled: null }));
  return [...untouched, ...read].flatMap(({ rule, enabled }) =>
    (enabled ?? (known.built_in || (known.ssh && rule.metric === HOST_KEY))) ? [rule] : [],
  );
};
