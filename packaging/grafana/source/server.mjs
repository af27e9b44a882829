// @ts-check

import { dashboard } from './dashboard.mjs';
import { COLOURS, OUTCOMES } from './look.mjs';
import { coloured, row, table, timeSeries, units } from './panels.mjs';
import { OUTCOMES_BY_NIGHT, PROTOCOL, WHERE } from './queries.mjs';

/**
 * One line for each server.
 * @param {string} value
 * @param {string} [fill]
 */
const byServer = (value, fill = 'null') => [
  {
    query: `SELECT ${value} FROM "iperf3_run" ${WHERE} AND "server" != '' GROUP BY time($__interval), "server" fill(${fill})`,
    alias: '$tag_server',
  },
];

/** @param {string} value @param {string} [and] */
const byServerAndDirection = (value, and) => [
  {
    query: `SELECT ${value} FROM "iperf3" ${WHERE}${and === undefined ? '' : ` AND ${and}`} GROUP BY time($__interval), "server", "direction" fill(null)`,
    alias: '$tag_server $tag_direction',
  },
];

const use = [
  timeSeries({
    title: 'Slot use',
    description:
      'Share of the time that a server was measuring: the durations of the runs that got their slot in each hour. Near 100% all night: the window is full, add a server. A long run counts for the hour in which it began; of a run that was tried again, only the last attempt counts.',
    unit: 'percentunit',
    queries: byServer('sum("duration_s") * 1000 / $__interval_ms', '0'),
    overrides: [],
    interval: '1h',
    custom: { showPoints: 'never', drawStyle: 'bars', fillOpacity: 50, lineWidth: 0 },
  }),
  timeSeries({
    title: 'Queue time',
    description: 'How long a run waited from the request to its first slot, the median of a night.',
    unit: 's',
    queries: byServer('median("queued_s")'),
    overrides: [],
  }),
  timeSeries({
    title: 'Runs',
    description: 'Runs of a night that had a slot of the server.',
    unit: 'none',
    queries: byServer('count("attempts")', '0'),
    overrides: [],
  }),
  timeSeries({
    title: 'Outcomes',
    description:
      'How many runs of a night ended how, on all servers that are chosen above. Many failures on one server only: look there, not at the devices.',
    unit: 'none',
    queries: OUTCOMES_BY_NIGHT,
    overrides: OUTCOMES,
    stacked: true,
  }),
  timeSeries({
    title: 'Failures',
    description: 'Runs of a night that failed or were lost, by server.',
    unit: 'none',
    queries: byServer('count("success")', '0').map(({ query, alias }) => ({
      query: query.replace(WHERE, `${WHERE} AND "success" = 0`),
      alias,
    })),
    overrides: [],
  }),
  timeSeries({
    title: 'Attempts per run',
    description:
      'How often a run had a slot, the mean of a night. 1 is ideal; more says that servers are busy, not reachable, or lose connections.',
    unit: 'short',
    queries: byServer('mean("attempts")'),
    overrides: [],
  }),
];

const measured = [
  timeSeries({
    title: 'Throughput',
    description:
      'Median of all devices of a night, as the receiver counted it. Upload is device to server. When all devices fall together it is the server, or its uplink.',
    unit: 'bps',
    queries: byServerAndDirection('median("bits_per_second")', PROTOCOL),
  }),
  timeSeries({
    title: 'CPU of the server',
    description:
      'Share of one core that iperf3 used on the server, the highest of a night. From 95% on, the line, the server and not the link sets the pace.',
    unit: 'percent',
    queries: byServerAndDirection('max("cpu_server_percent")'),
    custom: { thresholdsStyle: { mode: 'line' } },
    steps: [
      [null, 'transparent'],
      [95, COLOURS.failure],
    ],
  }),
  timeSeries({
    title: 'RTT',
    description:
      'Round-trip time that TCP saw during uploads, so under load: the median of a night. Of a download only the server sees it.',
    unit: 'ms',
    queries: byServerAndDirection('median("rtt_ms")'),
  }),
  timeSeries({
    title: 'Loss',
    description: 'Share of the UDP packets that did not arrive, the median of a night.',
    unit: 'percent',
    queries: byServerAndDirection('median("lost_percent")'),
  }),
];

const tables = [
  table({
    title: 'Servers',
    description:
      'The runs of the time range. Successful: share of the runs that were tried. Queued and duration: means.',
    unit: 'none',
    queries: [
      {
        query: `SELECT count("attempts") AS "runs", mean("success") AS "successful", mean("attempts") AS "attempts", mean("queued_s") AS "queued", mean("duration_s") AS "duration" FROM "iperf3_run" ${WHERE} AND "server" != '' GROUP BY "server"`,
      },
    ],
    overrides: [...units('percentunit', ['successful']), ...units('s', ['queued', 'duration'])],
    sortBy: 'successful',
  }),
  table({
    title: 'Most failures',
    description:
      'The 20 pairs of device and server with the most runs that failed or were lost in the time range, and the newest reason.',
    unit: 'none',
    queries: [
      {
        query: `SELECT top("failures", 20) AS "failures", "device", "server", "reason" FROM (SELECT count("success") AS "failures", last("reason") AS "reason" FROM "iperf3_run" ${WHERE} AND "success" = 0 GROUP BY "device", "server")`,
      },
    ],
    overrides: [coloured('failures', COLOURS.failure)],
    sortBy: 'failures',
    descending: true,
    none: 'none',
  }),
];

export default dashboard({
  name: 'server',
  description:
    'How full the servers are, and whether one of them spoils the numbers. What the numbers mean: docs/results.md of perfleet.',
  panels: [row('Use'), ...use, row('What is measured there'), ...measured, row('Details'), ...tables],
});
