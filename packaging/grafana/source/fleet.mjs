// @ts-check

import { choice, dashboard } from './dashboard.mjs';
import { COLOURS, named, OUTCOMES } from './look.mjs';
import { coloured, row, stat, table, timeSeries, units } from './panels.mjs';
import { GIGA, medianAndWorst, OUTCOMES_BY_NIGHT, PROTOCOL, WHERE, WHERE_WEEK_BEFORE, whereLast } from './queries.mjs';

/** Median and worst tenth over the fleet, explained in the same words everywhere. */
const OVER_THE_FLEET = 'Solid: the median of all tests of a night. Dashed: a tenth of them is worse.';

/** @param {string} direction @param {string} condition */
const throughputOf = (direction, condition) =>
  `(SELECT "bits_per_second" AS "${direction}" FROM "iperf3" ${condition} AND ${PROTOCOL} AND "direction" = '${direction}')`;

const glance = [
  stat({
    title: 'Successful runs',
    description:
      'Share of the runs that were tried in the time range and succeeded. Runs that were skipped, missed or cancelled do not count.',
    unit: 'percentunit',
    decimals: 1,
    queries: [{ query: `SELECT mean("success") FROM "iperf3_run" ${WHERE}` }],
    steps: [
      [null, COLOURS.failure],
      [0.9, COLOURS.download],
      [0.97, COLOURS.good],
    ],
  }),
  stat({
    title: 'Devices measured',
    description: 'Devices with at least one successful run in the time range.',
    unit: 'none',
    queries: [
      {
        query: `SELECT count("success") FROM (SELECT last("success") AS "success" FROM "iperf3_run" ${WHERE} AND "success" = 1 GROUP BY "device")`,
      },
    ],
    steps: [[null, COLOURS.good]],
  }),
  stat({
    title: 'Devices failing now',
    description: 'Devices whose newest run that was tried in the time range failed or was lost.',
    unit: 'none',
    queries: [
      {
        query: `SELECT count("success") FROM (SELECT last("success") AS "success" FROM "iperf3_run" ${WHERE} GROUP BY "device") WHERE "success" = 0`,
      },
    ],
    steps: [
      [null, COLOURS.good],
      [1, COLOURS.failure],
    ],
  }),
  ...['download', 'upload'].map((direction) =>
    stat({
      title: `Median ${direction}`,
      description: `Median of all ${direction} tests in the time range, as the receiver counted it. A link that is down counts as 0. ${direction === 'upload' ? 'Upload is device to server.' : 'Download is server to device.'}`,
      unit: 'bps',
      queries: [
        {
          query: `SELECT median("bits_per_second") FROM "iperf3" ${WHERE} AND ${PROTOCOL} AND "direction" = '${direction}'`,
        },
      ],
      steps: [[null, direction === 'upload' ? COLOURS.upload : COLOURS.download]],
    }),
  ),
  stat({
    title: 'Data received',
    description:
      'What arrived in all tests in the time range, both directions, TCP and UDP. The links carried more: failed tests, lost UDP packets, omitted seconds and headers are not in it.',
    unit: 'decbytes',
    queries: [{ query: `SELECT sum("bytes") FROM "iperf3" ${WHERE}` }],
    steps: [[null, COLOURS.plain]],
  }),
];

const overTime = [
  timeSeries({
    title: 'Throughput',
    description: `What the receiver counted. Upload is device to server. ${OVER_THE_FLEET} It needs five tests a night. A link that is down counts as 0.`,
    unit: 'bps',
    queries: medianAndWorst('bits_per_second', 'low', PROTOCOL),
  }),
  timeSeries({
    title: 'Outcomes',
    description:
      'How many runs of a night ended how. Failed and lost runs were tried; skipped and missed ones never had their turn.',
    unit: 'none',
    queries: OUTCOMES_BY_NIGHT,
    overrides: OUTCOMES,
    stacked: true,
  }),
  timeSeries({
    title: 'Jitter',
    description: `Of UDP tests, as the receiver computed it. ${OVER_THE_FLEET}`,
    unit: 'ms',
    queries: medianAndWorst('jitter_ms', 'high'),
  }),
  timeSeries({
    title: 'Loss',
    description: `Share of the UDP packets that did not arrive. ${OVER_THE_FLEET}`,
    unit: 'percent',
    queries: medianAndWorst('lost_percent', 'high'),
  }),
  timeSeries({
    title: 'Retransmits per run',
    description:
      'TCP segments that were sent again in one test, the mean of all tests of a night. Faster and longer tests have more of them: the panel beside this one allows for that.',
    unit: 'short',
    queries: [
      {
        query: `SELECT mean("retransmits") FROM "iperf3" ${WHERE} GROUP BY time($__interval), "direction" fill(null)`,
        alias: '$tag_direction',
      },
    ],
  }),
  timeSeries({
    title: 'Retransmits per GB',
    description: 'TCP segments that were sent again for each 10^9 bytes that arrived, over all tests of a night.',
    unit: 'short',
    queries: [
      {
        query: `SELECT sum("retransmits") * ${GIGA} / sum("bytes") FROM "iperf3" ${WHERE} AND "protocol" = 'tcp' GROUP BY time($__interval), "direction" fill(null)`,
        alias: '$tag_direction',
      },
    ],
  }),
  timeSeries({
    title: 'RTT',
    description: `Round-trip time that TCP saw during its upload, so under load: of a download only the server sees it. ${OVER_THE_FLEET}`,
    unit: 'ms',
    queries: medianAndWorst('rtt_ms', 'high'),
  }),
  timeSeries({
    title: 'Queue time',
    description:
      'How long runs waited from the request to their first slot. Solid: the median of a night. Dashed: a tenth waited longer.',
    unit: 's',
    queries: [
      {
        query: `SELECT median("queued_s") FROM "iperf3_run" ${WHERE} GROUP BY time($__interval) fill(null)`,
        alias: 'median',
      },
      {
        query: `SELECT percentile("queued_s", 90) FROM "iperf3_run" ${WHERE} GROUP BY time($__interval) fill(null)`,
        alias: 'worst tenth',
      },
    ],
  }),
];

const devices = [
  table({
    title: 'No success in the last $days days',
    description:
      'Devices that had a turn in the last days, and no successful run. Independent of the time range. A device that has no run at all, because it was removed or its check is off, is not here.',
    unit: 'none',
    queries: [
      {
        query: `SELECT "runs", "device", "organization", "reason" FROM (SELECT count("attempts") AS "runs", sum("success") AS "successes", last("reason") AS "reason" FROM "iperf3_run" ${whereLast(`\${days}`)} GROUP BY "device", "organization" fill(0)) WHERE "successes" = 0`,
      },
    ],
    overrides: [coloured('reason', COLOURS.failure)],
    sortBy: 'runs',
    descending: true,
    none: 'none',
  }),
  table({
    title: 'Slowest devices',
    description:
      'The 20 devices with the lowest median download in the time range. A link that is down counts as 0. Tests: how many the medians are made of.',
    unit: 'none',
    queries: [
      {
        query: `SELECT bottom("download", 20) AS "download", "upload", "tests", "device", "organization" FROM (SELECT median("download") AS "download", median("upload") AS "upload", count("download") AS "tests" FROM ${throughputOf('download', WHERE)}, ${throughputOf('upload', WHERE)} GROUP BY "device", "organization")`,
      },
    ],
    overrides: [
      ...units('bps', ['download', 'upload']),
      coloured('download', COLOURS.download),
      coloured('upload', COLOURS.upload),
    ],
    sortBy: 'download',
  }),
  table({
    title: 'Worst changes against the week before',
    description:
      'Median throughput of the last 7 days against that of the 7 days before, the 20 that fell most. Independent of the time range. -100% is a link that is down most of the time.',
    unit: 'none',
    queries: [
      {
        query: `SELECT bottom("change", 20) AS "change", "week", "before", "direction", "device", "organization" FROM (SELECT median("week") AS "week", median("before") AS "before", median("week") / median("before") * 100 - 100 AS "change" FROM (SELECT "bits_per_second" AS "week" FROM "iperf3" ${whereLast('7')} AND ${PROTOCOL}), (SELECT "bits_per_second" AS "before" FROM "iperf3" ${WHERE_WEEK_BEFORE} AND ${PROTOCOL}) GROUP BY "device", "organization", "direction") WHERE "before" > 0`,
      },
    ],
    overrides: [...units('bps', ['week', 'before']), ...units('percent', ['change'])],
    sortBy: 'change',
    none: 'needs measurements of two weeks',
  }),
  table({
    title: 'Devices at the limit of their CPU',
    description:
      "Share of the tests in the time range during which iperf3 needed 95% or more of the device's CPU: their throughput is what the device can do, not what the link can. The 20 with the highest share.",
    unit: 'none',
    queries: [
      {
        query: `SELECT top("share", 20) AS "share", "tests", "cpu", "device", "organization" FROM (SELECT count("cpu_bound") / count("bits_per_second") AS "share", count("bits_per_second") AS "tests", mean("cpu_device_percent") AS "cpu" FROM "iperf3" ${WHERE} GROUP BY "device", "organization")`,
      },
    ],
    overrides: [
      ...units('percentunit', ['share']),
      ...units('percent', ['cpu']),
      named('cpu', [{ id: 'displayName', value: 'mean CPU' }]),
    ],
    sortBy: 'share',
    descending: true,
    none: 'none',
  }),
];

export default dashboard({
  name: 'fleet',
  description: 'All devices together, and the ones to look at. What the numbers mean: docs/results.md of perfleet.',
  variables: [choice('days', 'no success for (days)', ['3', '1', '2', '7', '14', '30'])],
  panels: [row('At a glance'), ...glance, row('Night by night'), ...overTime, row('Devices to look at'), ...devices],
});
