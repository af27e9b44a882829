import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../broker/clock.ts';
import { writerV1 } from '../../controller/influx/writer-v1.ts';
import {
  ask,
  type Choice,
  DASHBOARDS,
  dashboardOf,
  graphsOf,
  rowsOf,
  type Series,
  substituted,
} from '../helpers/grafana.ts';
import { InfluxDb } from '../helpers/influxdb.ts';
import { DAY_MS, fleetPoints, NIGHTS } from './grafana-fleet.ts';

const DATABASE = 'perfleet';
const now = Date.now();
const points = fleetPoints(now);
let influxdb: InfluxDb;

beforeAll(async () => {
  influxdb = await InfluxDb.prepare();
  await influxdb.start();
  await influxdb.query(`CREATE DATABASE "${DATABASE}"`);
  const settings = { version: 1 as const, url: influxdb.url, database: DATABASE, username: null, password: null };
  expect(await writerV1(settings, systemClock).write(points)).toEqual({ kind: 'ok' });
});
afterAll(() => influxdb.remove());

const run = (query: string): Promise<Series[]> => ask(influxdb.url, DATABASE, query);

/** All series of the panel `title`. */
const panel = async (dashboardName: string, title: string, choice: Choice = {}): Promise<Series[]> => {
  const dashboard = dashboardOf(dashboardName);
  const graph = graphsOf(dashboard).find((one) => one.title === title);
  if (graph === undefined) throw new Error(`${dashboardName} has no panel ${title}`);
  const answers = graph.targets.map(({ query }) =>
    run(substituted(dashboard, query, { choice, interval: graph.interval, now })),
  );
  return (await Promise.all(answers)).flat();
};
const rows = async (dashboardName: string, title: string, choice: Choice = {}) =>
  rowsOf(await panel(dashboardName, title, choice));

/** All figures of all series, and the times that they have. */
const figures = (series: Series[]) => series.flatMap(({ values }) => values.flatMap(([, ...rest]) => rest));
const timesOf = (series: Series[]) => new Set(series.flatMap(({ values }) => values.map(([time]) => time)));
const sum = (values: (string | number | null)[]) => values.reduce<number>((total, value) => total + Number(value), 0);
const inRange = points.filter(({ time_ms }) => time_ms >= now - NIGHTS * DAY_MS);
const runs = inRange.filter(({ measurement }) => measurement === 'iperf3_run');

/** Several of each; five devices, as fewer have no worst tenth. */
const SOME = {
  organization: ['acme', 'wisp'],
  device: ['ap-2', 'ap-3', 'ap-4', 'cpe-1', 'cpe-3'],
  server: ['milan-1', 'rome-1'],
};

const everyQuery = DASHBOARDS.flatMap((name) => {
  const dashboard = dashboardOf(name);
  return [
    ...graphsOf(dashboard).flatMap(({ title, targets, interval }) =>
      targets.map(({ refId, query }) => [`${name}: ${title}, ${refId}`, dashboard, query, interval] as const),
    ),
    ...dashboard.annotations.list.map((one) => [`${name}: ${one.name}`, dashboard, one.query, undefined] as const),
    ...dashboard.templating.list.flatMap((variable) =>
      variable.type === 'query' ? [[`${name}: $${variable.name}`, dashboard, variable.query, undefined] as const] : [],
    ),
  ];
});

describe('each query has data', () => {
  it.each(everyQuery)('%s', async (_name, dashboard, query, interval) => {
    for (const choice of [{}, SOME]) {
      const answer = await run(substituted(dashboard, query, { choice, interval, now }));
      const usable = figures(answer).filter((value) => value !== null);
      expect(usable.length).toBeGreaterThan(0);
    }
  });

  it('and is no error before the first night, when there is none', async () => {
    await influxdb.query('CREATE DATABASE "empty"');
    for (const [, dashboard, query, interval] of everyQuery) {
      expect(await ask(influxdb.url, 'empty', substituted(dashboard, query, { interval, now }))).toEqual([]);
    }
  });
});

describe('variables', () => {
  const values = async (name: string, choice: Choice = {}) => {
    const dashboard = dashboardOf('fleet');
    const variable = dashboard.templating.list.find((one) => one.name === name);
    if (variable?.type !== 'query') throw new Error(`no query variable ${name}`);
    return rowsOf(await run(substituted(dashboard, variable.query, { choice, now }))).map(({ value }) => value);
  };

  it('list what there is', async () => {
    expect(await values('organization')).toEqual(['acme', 'wisp']);
    expect(await values('device')).toHaveLength(10);
    expect(await values('server')).toEqual(expect.arrayContaining(['milan-1', 'rome-1']));
  });

  it('offer the devices and servers of the organizations that are chosen', async () => {
    expect(await values('device', { organization: ['wisp'] })).toEqual(['cpe-1', 'cpe-2', 'cpe-3', 'cpe-4']);
    expect(await values('server', { organization: ['acme'] })).toContain('milan-1');
    expect(await values('server', { organization: ['acme'] })).not.toContain('rome-1');
  });

  it('narrow a panel to what is chosen, character by character', async () => {
    const tags = (await panel('device', 'Throughput', { device: ['ap-1', 'ap-3'] })).map((one) => one.tags['device']);
    expect(new Set(tags)).toEqual(new Set(['ap-1', 'ap-3']));
    expect(await panel('device', 'Throughput', { device: ['ap-.'] })).toEqual([]);
  });
});

describe('the fleet dashboard', () => {
  it('counts each run of the time range once, by outcome, and shows nights without an outcome as 0', async () => {
    const series = await panel('fleet', 'Outcomes');
    for (const outcome of ['success', 'failed', 'skipped', 'missed', 'cancelled', 'lost']) {
      const ofOutcome = series.filter(({ tags }) => tags['outcome'] === outcome);
      expect(sum(figures(ofOutcome))).toBe(runs.filter(({ tags }) => tags.outcome === outcome).length);
      expect(figures(ofOutcome)).not.toContain(null);
    }
  });

  it('has the share of successes among what was tried', async () => {
    const tried = runs.flatMap(({ integers }) => ('success' in integers ? [integers.success] : []));
    expect(figures(await panel('fleet', 'Successful runs'))).toEqual([
      expect.closeTo(sum(tried.map(Number)) / tried.length, 9),
    ]);
    expect(figures(await panel('fleet', 'Devices measured'))).toEqual([10]);
    expect(figures(await panel('fleet', 'Devices failing now'))).toEqual([1]);
  });

  it('names the devices without a success, and why', async () => {
    expect(await rows('fleet', 'No success in the last $days days')).toMatchObject([
      { device: 'ap-4', organization: 'acme', reason: 'unreachable', runs: 3 },
      { device: 'ap-5', organization: 'acme', reason: 'device-offline', runs: 3 },
    ]);
  });

  it('has the slowest device with its medians', async () => {
    const found = (await rows('fleet', 'Slowest devices')).toSorted(
      (one, other) => Number(one['download']) - Number(other['download']),
    );
    expect(found).toHaveLength(10);
    expect(found[0]).toMatchObject({ device: 'ap-2', download: 2e6, upload: 1e6, tests: NIGHTS });
  });

  it('has what fell against the week before: the device that is down, then the one at half speed', async () => {
    const found = (await rows('fleet', 'Worst changes against the week before')).filter(
      ({ change }) => Number(change) < 0,
    );
    expect(found).toMatchObject([
      { device: 'ap-4', change: -100, week: 0 },
      { device: 'ap-4', change: -100, week: 0 },
      { device: 'ap-3', change: -50, before: 80e6, week: 40e6, direction: 'download' },
      { device: 'ap-3', change: -50, before: 16e6, week: 8e6, direction: 'upload' },
    ]);
  });

  it('has the devices whose CPU was the limit', async () => {
    expect(await rows('fleet', 'Devices at the limit of their CPU')).toMatchObject([
      { device: 'cpe-1', share: 1, cpu: 99, tests: 4 * NIGHTS },
    ]);
  });

  it('has retransmits for each GB', async () => {
    // 5 for each 10 s at 20 Mbit/s, that is 25 MB.
    const upload = (await panel('fleet', 'Retransmits per GB', { device: ['ap-1'] })).filter(
      ({ tags }) => tags['direction'] === 'upload',
    );
    expect(new Set(figures(upload).filter((value) => value !== null))).toEqual(new Set([200]));
  });
});

describe('the device dashboard', () => {
  it('has each single test at its own time, and the zeros of a link that was down', async () => {
    const found = await rows('device', 'Throughput', { device: ['ap-4'] });
    const zeros = found.filter(({ bits_per_second }) => bits_per_second === 0);
    expect(found).toHaveLength(2 * NIGHTS);
    expect(zeros).toHaveLength(2 * 5);
    expect(timesOf(await panel('device', 'Throughput', { device: ['ap-4'] })).size).toBe(2 * NIGHTS);
  });

  it('marks what was derived, on the figure itself', async () => {
    for (const title of ['Throughput', 'Loss']) {
      const values = new Set(figures(await panel('device', title, { device: ['cpe-1'] })));
      const [all, marked] = graphsOf(dashboardOf('device')).find((one) => one.title === title)?.targets ?? [];
      expect(marked?.query).toBe(all?.query.replace(' GROUP BY', ' AND "derived" = 1 GROUP BY'));
      const found = await run(substituted(dashboardOf('device'), marked?.query ?? '', { now }));
      expect(new Set(found.map(({ tags }) => tags['device']))).toEqual(new Set(['cpe-1']));
      expect(new Set(figures(found))).toEqual(values);
    }
  });

  it('has nothing at all for a night without a run, which Grafana shows as a gap', async () => {
    expect(await rows('device', 'Throughput', { device: ['ap-6'] })).toHaveLength(2 * (NIGHTS - 3));
  });

  it('has no zero of a link that was down where it would mean something else', async () => {
    for (const title of ['Jitter', 'Loss', 'RTT', 'Retransmits per run', 'Retransmits per GB', 'CPU of the device']) {
      const times = [...timesOf(await panel('device', title, { device: ['ap-4'] }))];
      expect(times.length).toBeGreaterThan(0);
      expect(Math.max(...times.map(Number))).toBeLessThan(now - 5 * DAY_MS);
    }
  });

  it('has the newest run first, with its outcome and reason', async () => {
    expect((await rows('device', 'Newest runs', { device: ['ap-4'] }))[0]).toMatchObject({
      device: 'ap-4',
      server: 'milan-1',
      outcome: 'failed',
      reason: 'unreachable',
      run: 'r-ap-4-0',
    });
  });

  it('marks each failed run with its device and reason', async () => {
    const dashboard = dashboardOf('device');
    const query = dashboard.annotations.list[0]?.query ?? '';
    const found = rowsOf(await run(substituted(dashboard, query, { now })));
    expect(found).toHaveLength(5 + 1);
    expect(found[0]).toMatchObject({ device: 'ap-4', reason: 'unreachable', server: 'milan-1', outcome: 'failed' });
    expect(found.at(-1)).toMatchObject({ device: 'cpe-3', reason: 'no-result', outcome: 'lost' });
    expect(Object.keys(found[0] ?? {})[1]).toBe('device');
  });
});

describe('the server dashboard', () => {
  it('adds up the time that the slots were in use', async () => {
    const milan = (await panel('server', 'Slot use')).filter(({ tags }) => tags['server'] === 'milan-1');
    const used = runs.filter(({ tags }) => tags.server === 'milan-1').length * 42;
    expect(sum(figures(milan)) * 3600).toBeCloseTo(used, 3);
    expect(figures(milan)).toContain(0);
    expect(Math.max(...figures(milan).map(Number))).toBeLessThan(1);
  });

  it('has the failures of each server', async () => {
    const failures = await panel('server', 'Failures');
    const of = (server: string) => sum(figures(failures.filter(({ tags }) => tags['server'] === server)));
    expect([of('milan-1'), of('rome-1')]).toEqual([5, 1]);
    expect(await rows('server', 'Most failures')).toMatchObject([
      { failures: 5, device: 'ap-4', server: 'milan-1', reason: 'unreachable' },
      { failures: 1, device: 'cpe-3', server: 'rome-1', reason: 'no-result' },
    ]);
  });

  it('has a row for each server and none for runs that had no server', async () => {
    expect((await rows('server', 'Servers')).map(({ server }) => server)).toEqual(['milan-1', 'rome-1']);
  });
});
