import { createHash } from 'node:crypto';
import type { AlertScope, AlertSettings } from '../config/settings.ts';
import type { Metric } from '../store/alert-history.ts';
import { type FigureField, figureField } from './figure-field.ts';
import type { Baseline } from './usual.ts';

/** A rule made ready to be looked up and compared. */
export interface Rule extends AlertSettings {
  /** Of what decides about its values: two rules with one print mean the same. */
  print: string;
  /** `tcp.upload`, …, or `run`. */
  source: string;
  /** Of a measurement; null of `run.success`. */
  field: FigureField | null;
  /** Of a drop. */
  baseline: Baseline | null;
}

/** What a rule's scope is compared with. */
export interface ScopedDevice {
  device: string;
  organization: string;
  tags: readonly string[];
  uplink_group: string | null;
}

const printOf = ({ subject, metric, condition, breaches, of, where }: AlertSettings): string =>
  createHash('sha256')
    .update(JSON.stringify([subject, metric, condition, breaches, of, where]))
    .digest('base64url')
    .slice(0, 12);

/** `tcp.upload` in its parts. */
export const metricOf = (source: string): Metric => {
  const dot = source.indexOf('.');
  return { protocol: source.slice(0, dot), direction: source.slice(dot + 1) };
};

/** Makes one rule ready. */
export const compiled = (rule: AlertSettings): Rule => {
  const dot = rule.metric.lastIndexOf('.');
  const source = rule.metric.slice(0, dot);
  const field = figureField(rule.metric.slice(dot + 1));
  const { condition } = rule;
  const isDrop = condition.kind === 'drop' && field !== null;
  const baseline = isDrop ? { metric: metricOf(source), field, over_ms: condition.over_ms } : null;
  return { ...rule, print: printOf(rule), source, field, baseline };
};

/** Whether the rule is about this device, when it is measured against this server. */
export const fits = (where: AlertScope, device: ScopedDevice, server: string | null): boolean =>
  (where.device === null || where.device === device.device) &&
  (where.organization === null || where.organization === device.organization) &&
  (where.server === null || where.server === server) &&
  (where.uplink_group === null || where.uplink_group === device.uplink_group) &&
  (where.tag === null || device.tags.includes(where.tag));

/** The shelf that a rule lies on: the narrowest of what its scope names, so that few others lie there. */
const shelfOf = ({ device, uplink_group, server, tag, organization }: AlertScope): string => {
  if (device !== null) return `device ${device}`;
  if (uplink_group !== null) return `uplink ${uplink_group}`;
  if (server !== null) return `server ${server}`;
  if (tag !== null) return `tag ${tag}`;
  return organization === null ? '' : `organization ${organization}`;
};

/** So many kinds of devices are remembered with their rules. */
const MAX_KIN = 10_000;

/** The rules in force, found by whom they are about and what they look at: what others there are costs nothing. */
export class RuleIndex {
  readonly #byName = new Map<string, Rule>();
  readonly #shelves = new Map<string, Map<string, Rule[]>>();
  readonly #kin = new Map<string, ReadonlyMap<string, Rule[]>>();

  constructor(rules: readonly AlertSettings[]) {
    for (const settings of rules) {
      const rule = compiled(settings);
      this.#byName.set(rule.name, rule);
      if (rule.subject === 'server') continue;
      const name = shelfOf(rule.where);
      const shelf = this.#shelves.get(name) ?? new Map<string, Rule[]>();
      this.#shelves.set(name, shelf);
      shelf.set(rule.source, [...(shelf.get(rule.source) ?? []), rule]);
    }
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Rule | null {
    return this.#byName.get(name) ?? null;
  }

  /** The rules about this device and server, by source. */
  for(device: ScopedDevice, server: string | null): (source: string) => readonly Rule[] {
    const own = this.#shelves.get(`device ${device.device}`);
    const kin = this.#ofKin(device, server);
    if (own === undefined) return (source) => kin.get(source) ?? [];
    const about = (source: string) => (own.get(source) ?? []).filter(({ where }) => fits(where, device, server));
    return (source) => [...about(source), ...(kin.get(source) ?? [])];
  }

  /** Those that name no device: the same for all devices that are alike, and so made once. */
  #ofKin(device: ScopedDevice, server: string | null): ReadonlyMap<string, Rule[]> {
    const { organization, uplink_group, tags } = device;
    const key = JSON.stringify([organization, uplink_group, server, tags]);
    const known = this.#kin.get(key);
    if (known !== undefined) return known;
    const names = [
      ...(uplink_group === null ? [] : [`uplink ${uplink_group}`]),
      ...(server === null ? [] : [`server ${server}`]),
      ...tags.map((tag) => `tag ${tag}`),
      `organization ${organization}`,
      '',
    ];
    const kin = new Map<string, Rule[]>();
    for (const [source, rules] of names.flatMap((name) => [...(this.#shelves.get(name) ?? [])])) {
      const fitting = rules.filter(({ where }) => fits(where, device, server));
      kin.set(source, [...(kin.get(source) ?? []), ...fitting]);
    }
    if (this.#kin.size >= MAX_KIN) this.#kin.clear();
    this.#kin.set(key, kin);
    return kin;
  }

  /** All that may be about a device, whatever the server; in the order of the settings. */
  about(device: ScopedDevice): Rule[] {
    return [...this.#byName.values()].filter(
      ({ subject, where }) => subject === 'device' && fits(where, device, where.server),
    );
  }

  /** `server-down`, when it is in force for this server. */
  serverDown(server: string): Rule | null {
    const rule = this.#byName.get('server-down');
    return rule !== undefined && (rule.where.server ?? server) === server ? rule : null;
  }
}
