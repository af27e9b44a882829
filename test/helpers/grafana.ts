import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../../packaging/root.mjs';

const Datasource = z.object({ type: z.literal('influxdb'), uid: z.string() });

const Target = z.object({
  refId: z.string(),
  datasource: Datasource,
  rawQuery: z.literal(true),
  resultFormat: z.enum(['time_series', 'table']),
  query: z.string(),
});

const Property = z.object({ id: z.string(), value: z.unknown() });

const Panel = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string().min(1),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
});

/** A panel that draws something. */
const Graph = Panel.extend({
  type: z.enum(['timeseries', 'stat', 'table']),
  description: z.string().min(20),
  datasource: Datasource,
  interval: z.string().optional(),
  targets: z.array(Target).min(1),
  fieldConfig: z.object({
    defaults: z.object({ unit: z.string() }).loose(),
    overrides: z.array(
      z.object({ matcher: z.object({ id: z.string(), options: z.string() }), properties: z.array(Property) }),
    ),
  }),
});

const Row = Panel.extend({ type: z.literal('row'), collapsed: z.literal(false), panels: z.tuple([]) });

const QueryVariable = z.object({
  type: z.literal('query'),
  name: z.string(),
  datasource: Datasource,
  query: z.string(),
  definition: z.string(),
  multi: z.literal(true),
  includeAll: z.literal(true),
  allValue: z.string(),
});

const CustomVariable = z.object({
  type: z.literal('custom'),
  name: z.string(),
  query: z.string(),
  current: z.object({ value: z.string() }),
});

const DatasourceVariable = z.object({
  type: z.literal('datasource'),
  name: z.string(),
  query: z.literal('influxdb'),
  current: z.object({ text: z.string(), value: z.string() }),
});

/** What the tests need of a dashboard. */
export const Dashboard = z.object({
  uid: z.string(),
  title: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.int(),
  time: z.object({ from: z.string(), to: z.string() }),
  refresh: z.string(),
  links: z.array(
    z.object({ type: z.literal('dashboards'), tags: z.array(z.string()), includeVars: z.literal(true) }).loose(),
  ),
  templating: z.object({
    list: z.array(z.discriminatedUnion('type', [QueryVariable, CustomVariable, DatasourceVariable])),
  }),
  annotations: z.object({
    list: z.array(
      z.object({ name: z.string(), datasource: Datasource, query: z.string(), textColumn: z.string() }).loose(),
    ),
  }),
  panels: z.array(z.discriminatedUnion('type', [Graph, Row])),
});
export type Dashboard = z.infer<typeof Dashboard>;

export const DASHBOARDS = ['fleet', 'device', 'server'] as const;

export const dashboardText = (name: string): string =>
  readFileSync(join(root, `packaging/grafana/dashboards/${name}.json`), 'utf8');

export const dashboardOf = (name: string): Dashboard => Dashboard.parse(JSON.parse(dashboardText(name)));

/** The panels that draw something. */
export const graphsOf = (dashboard: Dashboard) => dashboard.panels.filter((panel) => panel.type !== 'row');

/** What is chosen at the top of a dashboard: some values, or all of them. */
export type Choice = Record<string, string[] | 'all'>;

const DAY_MS = 24 * 3600 * 1000;
const UNITS_MS: Record<string, number> = { h: DAY_MS / 24, d: DAY_MS };

const millisecondsOf = (interval: string): number => {
  const [, count, unit = ''] = /^(\d+)([hd])$/.exec(interval) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN);
  if (Number.isNaN(ms)) throw new Error(`no interval: ${interval}`);
  return ms;
};

/** `escapeRegex` of @grafana/data. */
const escaped = (value: string): string => value.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&');

/** The text that stands for each variable; a variable that is not in `choice` has all values, or its first one. */
const valuesOf = ({ templating }: Dashboard, choice: Choice): Map<string, string> =>
  new Map(
    templating.list.map((variable) => {
      if (variable.type !== 'query') return [variable.name, variable.current.value];
      const chosen = choice[variable.name] ?? 'all';
      // The value for all goes in as it is; the others as one alternation, even if it is a single one.
      return [variable.name, chosen === 'all' ? variable.allValue : `(${chosen.map(escaped).join('|')})`];
    }),
  );

/**
 * The query that Grafana sends: variables as `interpolateQueryExpr` in
 * grafana/grafana:public/app/plugins/datasource/influxdb/datasource.ts puts them in, then the macros as `Build` in
 * grafana/grafana:pkg/tsdb/influxdb/models/query.go does (10.4 to 12; before that the browser did, with the same outcome).
 * `interval` is the shortest one of the panel; 30 days on 1000 pixels come to an hour.
 */
export const substituted = (
  dashboard: Dashboard,
  query: string,
  {
    choice = {},
    interval = '1h',
    now = Date.now(),
  }: { choice?: Choice; interval?: string | undefined; now?: number } = {},
): string => {
  const [, days] = /^now-(\d+)d$/.exec(dashboard.time.from) ?? [];
  const values = valuesOf(dashboard, choice);
  const withVariables = query.replace(/\$(\w+)|\$\{(\w+)\}/g, (all, short, long) => values.get(short ?? long) ?? all);
  return withVariables
    .replaceAll('$timeFilter', `time >= ${now - Number(days) * DAY_MS}ms and time <= ${now}ms`)
    .replaceAll('$interval', interval)
    .replaceAll('$__interval_ms', String(millisecondsOf(interval)))
    .replaceAll('$__interval', interval);
};

const Series = z.object({
  name: z.string(),
  tags: z.record(z.string(), z.string()).default({}),
  columns: z.array(z.string()),
  values: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
});
export type Series = z.infer<typeof Series>;
const Answer = z.object({
  error: z.string().optional(),
  results: z.array(z.object({ error: z.string().optional(), series: z.array(Series).default([]) })).default([]),
});

/** Asks InfluxDB as Grafana's data source does: all series of one query; throws what InfluxDB complains about. */
export const ask = async (url: string, database: string, query: string): Promise<Series[]> => {
  const response = await fetch(`${url}/query?${new URLSearchParams({ db: database, epoch: 'ms' })}`, {
    method: 'POST',
    body: new URLSearchParams({ q: query }),
  });
  const { error, results } = Answer.parse(await response.json());
  const [result] = results;
  const complaint = error ?? result?.error;
  if (complaint !== undefined) throw new Error(`${complaint}: ${query}`);
  return result?.series ?? [];
};

/** The rows of all series as objects of tags and columns, as in a table. */
export const rowsOf = (series: readonly Series[]): Record<string, string | number | null>[] =>
  series.flatMap(({ tags, columns, values }) =>
    values.map((row) => ({
      ...tags,
      ...Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])),
    })),
  );
