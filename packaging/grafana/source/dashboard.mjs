// @ts-check

import { COLOURS } from './look.mjs';
import { DATASOURCE } from './panels.mjs';
import { WHERE } from './queries.mjs';

/**
 * Several values, or all; "all" is one short expression however many there are.
 * @param {string} tag
 * @param {string} [where]
 */
const tagVariable = (tag, where) => {
  const query = `SHOW TAG VALUES FROM "iperf3_run" WITH KEY = "${tag}"${where === undefined ? '' : ` WHERE ${where}`}`;
  return {
    type: 'query',
    name: tag,
    label: tag,
    datasource: DATASOURCE,
    definition: query,
    query,
    refresh: 1,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
  };
};

/**
 * One of a few words.
 * @param {string} name
 * @param {string} label
 * @param {string[]} values the first one is chosen at first
 */
export const choice = (name, label, values) => ({
  type: 'custom',
  name,
  label,
  query: values.join(','),
  current: { text: values[0], value: values[0] },
  options: values.map((value, index) => ({ text: value, value, selected: index === 0 })),
});

const VARIABLES = [
  {
    type: 'datasource',
    name: 'datasource',
    label: 'data source',
    query: 'influxdb',
    current: { text: 'perfleet', value: 'perfleet' },
  },
  tagVariable('organization'),
  tagVariable('device', '"organization" =~ /^$organization$/'),
  tagVariable('server', '"organization" =~ /^$organization$/'),
  choice('protocol', 'throughput of', ['tcp', 'udp']),
];

/**
 * A red line for each failed run. Grafana shows its device and server as title and tags, and the reason as text. The first column
 * is the title for every version of Grafana, whatever it makes of `titleColumn`.
 */
const FAILURES = {
  name: 'failed runs',
  enable: true,
  iconColor: COLOURS.failure,
  datasource: DATASOURCE,
  query: `SELECT "device", "reason", "server", "outcome" FROM "iperf3_run" ${WHERE} AND "success" = 0 ORDER BY time DESC LIMIT 200`,
  titleColumn: 'device',
  textColumn: 'reason',
  tagsColumn: 'server,outcome',
};

/**
 * Panels side by side, from the left to the right and from top to bottom, with an id each.
 * @template {{ gridPos: { w: number, h: number } }} P
 * @param {P[]} panels
 */
const placed = (panels) => {
  let x = 0;
  let y = 0;
  let height = 0;
  return panels.map((panel, index) => {
    const { w, h } = panel.gridPos;
    if (x + w > 24) {
      x = 0;
      y += height;
      height = 0;
    }
    const gridPos = { x, y, w, h };
    x += w;
    height = Math.max(height, h);
    return { id: index + 1, ...panel, gridPos };
  });
};

/**
 * A whole dashboard. Schema version 36 is that of Grafana 9.0; later ones bring it up to date themselves when they load it.
 * @param {{ name: string, description: string, panels: { gridPos: { w: number, h: number } }[], variables?: object[] }} content
 */
export const dashboard = ({ name, description, panels, variables = [] }) => ({
  uid: `perfleet-${name}`,
  title: `perfleet ${name}`,
  description,
  tags: ['perfleet'],
  schemaVersion: 36,
  editable: true,
  graphTooltip: 1,
  time: { from: 'now-30d', to: 'now' },
  refresh: '15m',
  links: [
    {
      type: 'dashboards',
      title: 'perfleet',
      tags: ['perfleet'],
      asDropdown: false,
      includeVars: true,
      keepTime: true,
      targetBlank: false,
    },
  ],
  templating: { list: [...VARIABLES, ...variables] },
  annotations: { list: [FAILURES] },
  panels: placed(panels),
});
