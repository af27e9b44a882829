// @ts-check

import { DIRECTIONS, fixedColour, named } from './look.mjs';

/** The data source that is chosen at the top of the dashboard. */
export const DATASOURCE = { type: 'influxdb', uid: `\${datasource}` };

/** Values further apart than this are not joined by a line: one night is missing. */
const GAP_MS = 36 * 3600 * 1000;

/**
 * @typedef {{ query: string, alias?: string }} Query
 * @typedef {[number | null, string][]} Steps the colour from each value on; the first one from below
 * @typedef {{
 *   title: string,
 *   description: string,
 *   unit: string,
 *   queries: Query[],
 *   overrides?: object[],
 *   width?: number,
 *   height?: number,
 * }} Panel
 */

/** @param {Panel} panel @param {'time_series' | 'table'} resultFormat */
const common = ({ title, description, queries }, resultFormat) => ({
  title,
  description,
  datasource: DATASOURCE,
  targets: queries.map((query, index) => ({
    refId: 'ABCDEFGH'.charAt(index),
    datasource: DATASOURCE,
    rawQuery: true,
    resultFormat,
    ...query,
  })),
});

/** @param {Steps} steps */
const thresholds = (steps) => ({ mode: 'absolute', steps: steps.map(([value, color]) => ({ color, value })) });

/** @param {number} w @param {number} h */
const size = (w, h) => ({ w, h });

/**
 * Lines with a point for each value. A zero is drawn, a missing night is a gap.
 * `interval` is the shortest time that is put into one value, where the query groups by time.
 * @param {Panel & { interval?: string, max?: number, custom?: object, stacked?: boolean, steps?: Steps }} panel
 */
export const timeSeries = ({ unit, overrides = DIRECTIONS, width = 12, height = 8, interval = '1d', ...rest }) => ({
  type: 'timeseries',
  ...common({ unit, ...rest }, 'time_series'),
  interval,
  fieldConfig: {
    defaults: {
      unit,
      min: 0,
      ...(rest.max === undefined ? {} : { max: rest.max }),
      ...(rest.steps === undefined ? {} : { thresholds: thresholds(rest.steps) }),
      custom: {
        ...(rest.stacked
          ? { drawStyle: 'bars', fillOpacity: 90, lineWidth: 0, stacking: { mode: 'normal', group: 'A' } }
          : { drawStyle: 'line', lineWidth: 1, showPoints: 'always', pointSize: 6 }),
        spanNulls: false,
        ...(rest.stacked ? {} : { insertNulls: GAP_MS }),
        ...rest.custom,
      },
    },
    overrides,
  },
  options: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  gridPos: size(width, height),
});

/**
 * One number, coloured by `steps`.
 * @param {Panel & { steps: Steps, decimals?: number }} panel
 */
export const stat = ({ unit, steps, decimals, width = 4, height = 4, ...rest }) => ({
  type: 'stat',
  ...common({ unit, ...rest }, 'time_series'),
  fieldConfig: {
    defaults: {
      unit,
      ...(decimals === undefined ? {} : { decimals }),
      noValue: '0',
      color: { mode: 'thresholds' },
      thresholds: thresholds(steps),
    },
    overrides: [],
  },
  options: { colorMode: 'value', graphMode: 'none', reduceOptions: { calcs: ['lastNotNull'], values: false } },
  gridPos: size(width, height),
});

/**
 * A column that leads to the dashboard of what it names, with the same time and data source.
 * @param {'device' | 'server'} column
 */
const linked = (column) =>
  named(column, [
    {
      id: 'links',
      value: [
        {
          title: `Show this ${column}`,
          url: `/d/perfleet-${column}?\${datasource:queryparam}&var-${column}=\${__value.raw}&\${__url_time_range}`,
        },
      ],
    },
  ]);

/** @param {string} unit @param {string[]} columns */
export const units = (unit, columns) => columns.map((column) => named(column, [{ id: 'unit', value: unit }]));

/** @param {string} column @param {string} colour */
export const coloured = (column, colour) =>
  named(column, [fixedColour(colour), { id: 'custom.displayMode', value: 'color-text' }]);

/**
 * A table, sorted by one column. Devices and servers are links.
 * @param {Panel & { sortBy: string, descending?: boolean, time?: boolean, none?: string }} panel
 */
export const table = ({ unit, overrides = [], width = 12, height = 9, sortBy, descending, time, none, ...rest }) => ({
  type: 'table',
  ...common({ unit, ...rest }, 'table'),
  fieldConfig: {
    defaults: { unit, noValue: none ?? '-' },
    overrides: [...overrides, linked('device'), linked('server')],
  },
  options: { sortBy: [{ displayName: sortBy, desc: descending ?? false }] },
  transformations: time ? [] : [{ id: 'organize', options: { excludeByName: { Time: true } } }],
  gridPos: size(width, height),
});

/** @param {string} title */
export const row = (title) => ({ type: 'row', title, collapsed: false, panels: [], gridPos: size(24, 1) });
