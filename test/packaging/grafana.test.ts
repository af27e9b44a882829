import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FIELDS, TAGS } from '../../controller/influx/points.ts';
import { Outcome } from '../../controller/run-record.ts';
import device from '../../packaging/grafana/source/device.mjs';
import fleet from '../../packaging/grafana/source/fleet.mjs';
import { COLOURS, DIRECTIONS, OUTCOME_COLOURS } from '../../packaging/grafana/source/look.mjs';
import { print } from '../../packaging/grafana/source/print.mjs';
import server from '../../packaging/grafana/source/server.mjs';
import { root } from '../../packaging/root.mjs';
import { DASHBOARDS, type Dashboard, dashboardOf, dashboardText, graphsOf } from '../helpers/grafana.ts';

const FOLDER = join(root, 'packaging/grafana');
const sources: Record<string, object> = { fleet, device, server };
const CHOSEN_DATASOURCE = { type: 'influxdb', uid: ['$', '{datasource}'].join('') };

const queriesOf = (dashboard: Dashboard): string[] => [
  ...graphsOf(dashboard).flatMap(({ targets }) => targets.map(({ query }) => query)),
  ...dashboard.annotations.list.map(({ query }) => query),
  ...dashboard.templating.list.flatMap((variable) => (variable.type === 'query' ? [variable.query] : [])),
];

it('there are these three dashboards, and no other file beside them', () => {
  expect(readdirSync(join(FOLDER, 'dashboards')).sort()).toEqual(DASHBOARDS.map((name) => `${name}.json`).sort());
});

it('a panel that adds up bytes says that they are those that arrived, and what is not among them', () => {
  const sums = DASHBOARDS.flatMap((name) => graphsOf(dashboardOf(name))).filter(({ targets }) =>
    targets.some(({ query }) => query.startsWith('SELECT sum("bytes")')),
  );
  expect(sums).toMatchObject([
    { title: 'Data received', description: expect.stringContaining('failed tests, lost UDP') },
  ]);
});

describe.each(DASHBOARDS)('the %s dashboard', (name) => {
  const dashboard = dashboardOf(name);
  const graphs = graphsOf(dashboard);

  it('is what its source makes: node packaging/grafana/source/write.mjs', () => {
    expect(dashboardText(name)).toBe(`${print(sources[name])}\n`);
  });

  it('keeps its uid, which links and bookmarks have', () => {
    expect(dashboard).toMatchObject({
      uid: `perfleet-${name}`,
      schemaVersion: 36,
      time: { from: 'now-30d', to: 'now' },
    });
  });

  it('links to the other two', () => {
    expect(dashboard.links).toMatchObject([{ tags: ['perfleet'], keepTime: true }]);
    expect(dashboard.tags).toEqual(['perfleet']);
  });

  it('has an id of its own for each panel', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  it('has no panel over another one, or outside of the grid', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('asks the data source that is chosen, everywhere', () => {
    const sourcesOf = [
      ...graphs.flatMap(({ datasource, targets }) => [datasource, ...targets.map((target) => target.datasource)]),
      ...dashboard.annotations.list.map(({ datasource }) => datasource),
      ...dashboard.templating.list.flatMap((variable) => (variable.type === 'query' ? [variable.datasource] : [])),
    ];
    for (const one of sourcesOf) expect(one).toEqual(CHOSEN_DATASOURCE);
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', current: { value: 'perfleet' } });
  });

  it('uses no variable that is not there', () => {
    const known = dashboard.templating.list.map((variable) => variable.name);
    const macros = ['timeFilter', '__interval', '__interval_ms'];
    for (const query of queriesOf(dashboard)) {
      const used = [...query.matchAll(/\$\{?([a-z]\w*|__\w+)/gi)].map(([, variable]) => variable);
      expect([...known, ...macros]).toEqual(expect.arrayContaining(used));
    }
  });

  it('obeys the three variables in each panel', () => {
    for (const { targets } of graphs) {
      for (const { query } of targets) {
        const froms = query.match(/FROM "/g)?.length;
        for (const tag of ['organization', 'device', 'server']) {
          expect(query.split(`"${tag}" =~ /^$${tag}$/`).length - 1, query).toBe(froms);
        }
      }
    }
  });

  it('reads measurements, fields and tags that are written', () => {
    const written = [
      ...Object.entries(FIELDS).flatMap(([measurement, { floats, integers, strings }]) => [
        measurement,
        ...floats,
        ...integers,
        ...strings,
      ]),
      ...TAGS,
    ];
    for (const query of queriesOf(dashboard)) {
      const aliases = [...query.matchAll(/AS "(\w+)"/g)].map(([, alias]) => alias);
      const names = [...query.matchAll(/"(\w+)"/g)].map(([, quoted]) => quoted);
      expect([...written, ...aliases]).toEqual(expect.arrayContaining(names));
    }
  });

  it('gives upload and download the same two colours on each panel', () => {
    for (const { type, targets, fieldConfig } of graphs) {
      if (type !== 'timeseries' || !targets.some(({ query }) => query.includes('"direction"'))) continue;
      for (const [direction, colour] of [
        ['upload', COLOURS.upload],
        ['download', COLOURS.download],
      ]) {
        expect(fieldConfig.overrides).toContainEqual({
          matcher: { id: 'byRegexp', options: `/(^| )${direction}(, worst tenth)?$/` },
          properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: colour } }],
        });
      }
    }
  });
});

it('each outcome has a colour', () => {
  expect(Object.keys(OUTCOME_COLOURS).sort()).toEqual([...Outcome.options].sort());
});

it('a line has the colour of its direction, whatever its device is called', () => {
  const lines = [
    'upload',
    'upload, worst tenth',
    'ap-1 milan-1 upload',
    'download milan-1 upload',
    'download-9 upload',
  ];
  const rules = DIRECTIONS.map(({ matcher }) => new RegExp(matcher.options.slice(1, -1)));
  expect(lines.map((line) => rules.map((rule) => rule.test(line)))).toEqual([
    [true, false, false],
    [true, false, true],
    [true, false, false],
    [true, false, false],
    [true, false, false],
  ]);
});

describe('provisioning', () => {
  const read = (path: string) => parse(readFileSync(join(FOLDER, 'provisioning', path), 'utf8'));

  it.each([
    ['influxdb-1.yaml', { httpMode: 'POST', dbName: 'perfleet' }],
    ['influxdb-2.yaml', { httpMode: 'POST', dbName: 'perfleet', httpHeaderName1: 'Authorization' }],
  ])('%s has one InfluxQL data source with the uid that the dashboards choose', (file, jsonData) => {
    expect(read(`datasources/${file}`)).toMatchObject({
      apiVersion: 1,
      datasources: [
        { name: 'perfleet', uid: 'perfleet', type: 'influxdb', access: 'proxy', database: 'perfleet', jsonData },
      ],
    });
  });

  it('InfluxDB 2.x gets its token in a header', () => {
    const { datasources } = read('datasources/influxdb-2.yaml');
    expect(datasources[0].secureJsonData).toEqual({ httpHeaderValue1: 'Token $INFLUX_TOKEN' });
  });

  it('the dashboards come from a folder', () => {
    expect(read('dashboards/perfleet.yaml')).toMatchObject({
      apiVersion: 1,
      providers: [{ type: 'file', options: { path: '/var/lib/grafana/dashboards/perfleet' } }],
    });
  });
});
