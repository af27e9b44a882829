// @ts-check

import { dashboard } from './dashboard.mjs';
import { COLOURS, DERIVED, DIRECTIONS, OUTCOME_COLOURS, OUTCOMES } from './look.mjs';
import { row, table, timeSeries, units } from './panels.mjs';
import { eachTest, eachTestMarked, GIGA, OUTCOMES_BY_NIGHT, PROTOCOL, WHERE } from './queries.mjs';

const EACH = 'Each point is one test.';
const MARKED = 'A large purple point marks a figure that iperf3 did not report itself: it was derived.';

/** @param {string} field of `iperf3_run` */
const eachRun = (field) => [
  {
    query: `SELECT "${field}" FROM "iperf3_run" ${WHERE} GROUP BY "device", "server" SLIMIT 100`,
    alias: '$tag_device $tag_server',
  },
];

const OUTCOME_TEXTS = [
  {
    matcher: { id: 'byName', options: 'outcome' },
    properties: [
      { id: 'custom.displayMode', value: 'color-text' },
      {
        id: 'mappings',
        value: [
          {
            type: 'value',
            options: Object.fromEntries(
              Object.entries(OUTCOME_COLOURS).map(([outcome, color], index) => [outcome, { color, index }]),
            ),
          },
        ],
      },
    ],
  },
];

const link = [
  timeSeries({
    title: 'Throughput',
    description: `What the receiver counted. Upload is device to server. ${EACH} A zero says that the link was down: all retries failed. A gap says that there was no test. ${MARKED}`,
    unit: 'bps',
    queries: eachTestMarked('"bits_per_second"', PROTOCOL),
    overrides: [...DIRECTIONS, DERIVED],
    width: 24,
    height: 10,
  }),
  timeSeries({
    title: 'Jitter',
    description: `Of UDP tests, as the receiver computed it. ${EACH}`,
    unit: 'ms',
    queries: eachTest('"jitter_ms"'),
  }),
  timeSeries({
    title: 'Loss',
    description: `Share of the UDP packets that did not arrive. ${EACH} ${MARKED}`,
    unit: 'percent',
    queries: eachTestMarked('"lost_percent"'),
    overrides: [...DIRECTIONS, DERIVED],
  }),
  timeSeries({
    title: 'Retransmits per run',
    description: `TCP segments that were sent again. ${EACH} A faster or longer test has more of them: the panel beside this one allows for that.`,
    unit: 'short',
    queries: eachTest('"retransmits"'),
  }),
  timeSeries({
    title: 'Retransmits per GB',
    description: `TCP segments that were sent again for each 10^9 bytes that arrived. ${EACH}`,
    unit: 'short',
    queries: eachTest(`"retransmits" * ${GIGA} / "bytes"`, '"bytes" > 0'),
  }),
  timeSeries({
    title: 'RTT',
    description: `Round-trip time that TCP saw during its upload, so under load: of a download only the server sees it. ${EACH}`,
    unit: 'ms',
    queries: eachTest('"rtt_ms"'),
  }),
  timeSeries({
    title: 'Traffic of others',
    description: `What else went through the device's WAN interface during the test. Where it is high, the throughput is what was left over. ${EACH} Only for agents that can count it.`,
    unit: 'bps',
    queries: eachTest('"cross_traffic"'),
  }),
];

const doubts = [
  timeSeries({
    title: 'CPU of the device',
    description: `Share of one core that iperf3 used on the device. From 95% on, the line, the device and not the link set the pace. ${EACH}`,
    unit: 'percent',
    queries: eachTest('"cpu_device_percent"'),
    custom: { thresholdsStyle: { mode: 'line' } },
    steps: [
      [null, 'transparent'],
      [95, COLOURS.failure],
    ],
  }),
  timeSeries({
    title: 'CPU-bound tests',
    description:
      'Share of the tests of a day that the CPU of the device was the limit of. One line for each device and direction.',
    unit: 'percentunit',
    max: 1,
    queries: [
      {
        query: `SELECT count("cpu_bound") / count("bits_per_second") FROM "iperf3" ${WHERE} GROUP BY time($__interval), "device", "direction" fill(0) SLIMIT 100`,
        alias: '$tag_device $tag_direction',
      },
    ],
  }),
];

const runs = [
  timeSeries({
    title: 'Outcomes',
    description:
      'How many runs of a day ended how. Failed and lost runs were tried; skipped and missed ones never had their turn.',
    unit: 'none',
    queries: OUTCOMES_BY_NIGHT,
    overrides: OUTCOMES,
    stacked: true,
    width: 8,
  }),
  timeSeries({
    title: 'Queue time',
    description: 'How long each run waited from the request to its first slot.',
    unit: 's',
    queries: eachRun('queued_s'),
    width: 8,
  }),
  timeSeries({
    title: 'Duration',
    description: 'How long the last attempt of each run held its slot.',
    unit: 's',
    queries: eachRun('duration_s'),
    width: 8,
  }),
  table({
    title: 'Newest runs',
    description: 'The newest 100 runs of the time range. The id is what `perfleet results show` takes.',
    unit: 'none',
    queries: [
      {
        query: `SELECT "device", "server", "outcome", "reason", "attempts", "queued_s", "duration_s", "run" FROM "iperf3_run" ${WHERE} ORDER BY time DESC LIMIT 100`,
      },
    ],
    overrides: [...OUTCOME_TEXTS, ...units('s', ['queued_s', 'duration_s'])],
    sortBy: 'Time',
    descending: true,
    time: true,
    width: 24,
    height: 12,
  }),
];

export default dashboard({
  name: 'device',
  description:
    'Every single measurement of one device, or of a few. What the numbers mean: docs/results.md of perfleet.',
  panels: [row('The link'), ...link, row('What the device itself did to the numbers'), ...doubts, row('Runs'), ...runs],
});
