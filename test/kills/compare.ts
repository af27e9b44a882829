import { pastPoints } from '../../controller/influx/past-points.ts';
import type { Point } from '../../controller/influx/points.ts';
import { Store } from '../../controller/store/store.ts';
import type { InfluxDb } from '../helpers/influxdb.ts';
import { compareAllNotices, type NoticeDifference, type Told } from './compare-notices.ts';
import { expectedChanges, type StateChange } from './rules.ts';
import { DATABASE } from './scene.ts';

const sorted = (values: Record<string, unknown>): [string, unknown][] =>
  Object.entries(values)
    .filter(([, value]) => value !== null && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** A point as text that is the same for the same point, wherever it comes from. */
const textOf = (measurement: string, tags: Record<string, unknown>, fields: Record<string, unknown>, time_ms: number) =>
  JSON.stringify([measurement, sorted(tags), sorted(fields), time_ms]);

const expectedText = ({ measurement, tags, floats, integers, strings, time_ms }: Point): string =>
  textOf(measurement, tags, { ...floats, ...integers, ...strings }, time_ms);

/** Every point in InfluxDB. */
const found = async (influxdb: InfluxDb): Promise<string[]> => {
  const points: string[] = [];
  for (const measurement of ['iperf3', 'iperf3_run']) {
    for (const { tags, columns, values } of await influxdb.series(
      `SELECT * FROM ${measurement} GROUP BY *`,
      DATABASE,
    )) {
      for (const [time, ...row] of values) {
        const fields = Object.fromEntries(columns.slice(1).map((column, index) => [column, row[index]]));
        points.push(textOf(measurement, tags, fields, Number(time)));
      }
    }
  }
  return points;
};

/** What the store and InfluxDB say of the same runs, and receivers of the same alerts. Each list should be empty. */
export interface Difference extends NoticeDifference {
  /** Points of which there are none, or other ones, in InfluxDB. */
  missing: string[];
  /** Points in InfluxDB that nobody wrote, or twice. */
  strange: string[];
  /** Tokens whose result was accepted, and is not in the store. */
  lost: number[];
  points: number;
}

const tokenOf = (run: string): number => Number(run.slice(2));

/** Compares every point of InfluxDB, and every notice, with the store in `folder`, which nobody may have open. */
export const compare = async (
  folder: string,
  influxdb: InfluxDb,
  accepted: ReadonlySet<number>,
  told: readonly Told[],
): Promise<Difference> => {
  const store = Store.open(folder);
  const expected: string[] = [];
  const stored = new Set<number>();
  const changes: StateChange[] = [];
  try {
    const { runs } = store.history.page({ since_ms: 0, until_ms: Number.MAX_SAFE_INTEGER }, 1_000_000);
    for (const run of runs) expected.push(...pastPoints(run).map(expectedText));
    for (const { run, outcome, measurements } of runs) {
      if (outcome === 'success' && measurements.length === 3) stored.add(tokenOf(run));
    }
    changes.push(...expectedChanges(runs.toSorted((a, b) => tokenOf(a.run) - tokenOf(b.run))));
  } finally {
    store.close();
  }
  const there = await found(influxdb);
  const [wanted, seen] = [new Set(expected), new Set<string>()];
  const strange = there.filter((point) => !wanted.has(point) || seen.size === seen.add(point).size);
  return {
    missing: expected.filter((point) => !seen.has(point)),
    strange,
    lost: [...accepted].filter((token) => !stored.has(token)),
    points: there.length,
    ...compareAllNotices(changes, told),
  };
};
