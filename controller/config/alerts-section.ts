import { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import { anything, figure, id, type Leaf, optional } from './leaf.ts';
import type { Path } from './problem.ts';
import { keysIn, type Reader } from './reader.ts';
import type { AlertSettings } from './settings.ts';

const BOTH = ['bits_per_second', 'bytes', 'seconds', 'cpu_device_percent', 'cpu_server_percent'];
const FIELDS_OF = {
  tcp: [...BOTH, 'retransmits', 'rtt_ms'],
  udp: [...BOTH, 'jitter_ms', 'packets', 'lost_packets', 'lost_percent'],
};

/** Every name that a rule or a chart may use: `<protocol>.<direction>.<field>`, and `run.success`. */
export const METRICS: readonly string[] = [
  ...Object.entries(FIELDS_OF).flatMap(([protocol, fields]) =>
    ['upload', 'download'].flatMap((direction) => fields.map((field) => `${protocol}.${direction}.${field}`)),
  ),
  'run.success',
];

const metric: Leaf<string> = {
  expected: 'a metric: <tcp|udp>.<upload|download>.<field>, or run.success',
  schema: z.string().refine((name) => METRICS.includes(name)),
  hint: (found) => (typeof found === 'string' ? didYouMean(found, METRICS) : undefined),
};

const MAX_OF = 100;

const ofLast: Leaf<{ breaches: number; of: number }> = {
  expected: `"N of M", such as 2 of 3, with N at most M and M at most ${MAX_OF}`,
  schema: z.string().transform((words, context) => {
    const [, breaches, of] = (words.match(/^(\d{1,3}) of (\d{1,3})$/) ?? []).map(Number);
    if (breaches !== undefined && of !== undefined && breaches >= 1 && breaches <= of && of <= MAX_OF) {
      return { breaches, of };
    }
    context.addIssue({ code: 'custom', message: 'not N of M' });
    return z.NEVER;
  }),
};

const RULE = {
  name: id,
  metric,
  below: optional(figure),
  above: optional(figure),
  for: optional(ofLast),
  clear: optional(figure),
  where: optional(anything),
  notify: optional(anything),
};

const WHERE = { organization: optional(id), device: optional(id), server: optional(id), uplink_group: optional(id) };

/** The names under other sections that a rule may point to. */
export interface Known {
  organizations: ReadonlySet<string>;
  servers: ReadonlySet<string>;
  uplink_groups: ReadonlySet<string>;
  receivers: ReadonlySet<string>;
}

const readWhere = (reader: Reader, path: Path, raw: unknown, known: Known): AlertSettings['where'] => {
  const { organization = null, device = null, server = null, uplink_group = null } = reader.fields(path, raw, WHERE);
  reader.reference([...path, 'organization'], organization, known.organizations, 'organizations');
  reader.reference([...path, 'server'], server, known.servers, 'servers');
  reader.reference([...path, 'uplink_group'], uplink_group, known.uplink_groups, 'uplink_groups');
  return { organization, device, server, uplink_group };
};

const readNotify = (reader: Reader, path: Path, raw: unknown, known: Known): string[] =>
  reader.list(path, raw, 'receivers').flatMap((entry, index) => {
    const name = reader.value([...path, index], entry, id);
    reader.reference([...path, index], name, known.receivers, 'receivers');
    return name ?? [];
  });

const readRule = (reader: Reader, path: Path, raw: unknown, known: Known): AlertSettings => {
  const given = reader.fields(path, raw, RULE);
  const keys = keysIn(raw);
  if (keys.has('below') === keys.has('above')) {
    reader.problem(
      path,
      keys.has('below') ? 'both below and above' : 'neither below nor above',
      'one of below and above',
    );
  }
  const compare = keys.has('above') ? 'above' : 'below';
  const threshold = given[compare] ?? 0;
  const clear = given.clear ?? threshold;
  if (compare === 'below' ? clear < threshold : clear > threshold) {
    const side = compare === 'below' ? 'at or over' : 'at or under';
    reader.problem([...path, 'clear'], `${clear}`, `a number ${side} the threshold, ${threshold}`);
  }
  const { breaches, of } = given.for ?? { breaches: 1, of: 1 };
  const where = readWhere(reader, [...path, 'where'], given.where, known);
  const notify = readNotify(reader, [...path, 'notify'], given.notify, known);
  return { name: given.name ?? '', metric: given.metric ?? '', compare, threshold, breaches, of, clear, where, notify };
};

/** `alerts`: rules with names of their own. They are checked in full, and evaluated by a later version. */
export const readAlerts = (reader: Reader, raw: unknown, known: Known): AlertSettings[] => {
  const names = new Set<string>();
  return reader.list(['alerts'], raw, 'alert rules').map((entry, index) => {
    const path = ['alerts', index];
    const rule = readRule(reader, path, entry, known);
    if (names.has(rule.name))
      reader.problem([...path, 'name'], `"${rule.name}" a second time`, 'a name of its own for each rule');
    if (rule.name !== '') names.add(rule.name);
    return rule;
  });
};
