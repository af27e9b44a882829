import { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import type { Leaf } from './leaf.ts';
import { parseVolume } from './units.ts';

const BOTH = ['bits_per_second', 'bytes', 'seconds', 'cpu_device_percent', 'cpu_server_percent', 'cross_traffic'];
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

export const metric: Leaf<string> = {
  expected: 'a metric: <tcp|udp>.<upload|download>.<field>, or run.success',
  schema: z.string().refine((name) => METRICS.includes(name)),
  hint: (found) => (typeof found === 'string' ? didYouMean(found, METRICS) : undefined),
};

/** A number in the metric's own unit, or one with a unit of this list: its name and how much of the metric's own it is. */
const quantity = (expected: string, units: Record<string, number>, max = Number.MAX_VALUE): Leaf<number> => ({
  expected,
  schema: z.unknown().transform((value, context) => {
    const [, digits, unit = ''] = (typeof value === 'string' && /^(\d+(?:\.\d+)?)(\D+)$/.exec(value)) || [];
    const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
    const figure = factor === undefined ? value : Number(digits) * factor;
    if (typeof figure === 'number' && figure >= 0 && figure <= max) return figure;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  }),
});

/** From 0 to 100. */
export const percentage: Leaf<number> = quantity('a percentage such as 2%, up to 100%', { '%': 1 }, 100);

const decimal = (expected: string): Leaf<number> => ({
  expected,
  schema: z.unknown().transform((value, context) => {
    const figure = parseVolume(value);
    if (figure !== null) return figure;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  }),
});

/** By the end of the metric's name; every other one is a count. */
const UNITS: readonly (readonly [end: string, leaf: Leaf<number>])[] = [
  ['.bits_per_second', decimal('a rate such as 20M, in bit/s')],
  ['.cross_traffic', decimal('a rate such as 20M, in bit/s')],
  ['.bytes', decimal('an amount of data such as 20M, in bytes')],
  ['.seconds', quantity('a time such as 10s', { ms: 0.001, s: 1, m: 60 })],
  ['_ms', quantity('a time such as 30ms', { us: 0.001, ms: 1, s: 1000 })],
  ['_percent', percentage],
  ['run.success', quantity('a number from 0 to 1', {}, 1)],
];

const count: Leaf<number> = quantity('a number, at least 0', {});

/** A threshold for values of the metric. */
export const threshold = (metric: string): Leaf<number> => {
  const [, leaf = count] = UNITS.find(([end]) => metric.endsWith(end)) ?? [];
  return leaf;
};
