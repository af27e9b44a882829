import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { FieldType, InfluxDB } from 'influx';
import { systemClock } from '../../broker/clock.ts';
import { OutboxDrain } from '../../controller/influx/drain.ts';
import { FIELDS, measurementPoint, type Point, TAGS } from '../../controller/influx/points.ts';
import { writerV1 } from '../../controller/influx/writer-v1.ts';
import { Store } from '../../controller/store/store.ts';
import { InfluxDb } from '../helpers/influxdb.ts';
import { until } from '../helpers/until.ts';
import type { Bench, Findings } from './bench.ts';
import { median } from './statistics.ts';

const LAPS = 6;
const POINTS_A_LAP = 20_000;

/** As perfleet's. */
const BATCH = 1000;

/** Points as a night of the default check makes them. */
const pointsOf = (lap: number): Point[] =>
  Array.from({ length: POINTS_A_LAP }, (_, index) =>
    measurementPoint(
      { device: `ap-${index % 1000}`, organization: 'acme', server: `server-${index % 40}` },
      {
        ...{ test: 'tcp-upload', protocol: 'tcp', direction: index % 2 === 0 ? 'upload' : 'download' },
        ...{
          bits_per_second: 94_012_345.6 + index,
          bytes: 117_515_432 + index,
          seconds: 10.0001,
          retransmits: index % 9,
        },
        ...{ rtt_ms: 4.213, cpu_device_percent: 31.07, cpu_server_percent: 4.11 },
      },
      Date.UTC(2026, 10, 22, 2) + lap * 86_400_000 + index * 61,
    ),
  );

const typed = (names: readonly string[], type: FieldType) => Object.fromEntries(names.map((name) => [name, type]));

/** The client alone: the same points in the same batches, one after another. */
const bareClient = (url: string, database: string) => {
  const { hostname, port } = new URL(url);
  const { floats, integers } = FIELDS.iperf3;
  const fields = { ...typed(floats, FieldType.FLOAT), ...typed(integers, FieldType.INTEGER) };
  const schema = [{ database, measurement: 'iperf3', tags: [...TAGS], fields }];
  const client = new InfluxDB({ host: hostname, port: Number(port), database, schema });
  return async (points: readonly Point[]): Promise<void> => {
    for (let from = 0; from < points.length; from += BATCH) {
      const batch = points
        .slice(from, from + BATCH)
        .map(({ measurement, tags, floats: some, integers: more, time_ms }) => ({
          ...{ measurement, tags, fields: { ...some, ...more }, timestamp: time_ms },
        }));
      await client.writePoints(batch, { precision: 'ms' });
    }
  };
};

const perSecond = (took_ms: number): number => (1000 * POINTS_A_LAP) / took_ms;

/** Takes turns, so that what else the machine does hits both. */
const compare = async (influxdb: InfluxDb, folder: string): Promise<Findings> => {
  for (const database of ['drained', 'bare']) await influxdb.query(`CREATE DATABASE ${database}`);
  const store = Store.open(folder);
  const settings = { version: 1, url: influxdb.url, database: 'drained', username: null, password: null } as const;
  const drain = new OutboxDrain({
    ...{ outbox: store.outbox, writer: writerV1(settings, systemClock), clock: systemClock, random: Math.random },
    log: { info: () => {}, warn: () => {} },
  });
  drain.start();
  const bare = bareClient(influxdb.url, 'bare');
  const laps: { drained_ms: number; bare_ms: number }[] = [];
  for (let lap = 0; lap < LAPS; lap += 1) {
    const points = pointsOf(lap);
    store.atomically(() => store.outbox.add(points));
    const began_ms = systemClock.now();
    drain.kick();
    await until('the outbox is empty', () => store.outbox.page(1).length === 0);
    const between_ms = systemClock.now();
    await bare(points);
    laps.push({ drained_ms: between_ms - began_ms, bare_ms: systemClock.now() - between_ms });
  }
  await drain.stop();
  store.close();
  const counts = await Promise.all(
    ['drained', 'bare'].map(async (database) =>
      Number((await influxdb.query('SELECT count(bytes) FROM iperf3', database))[0]?.[1]),
    ),
  );
  if (counts.some((count) => count !== LAPS * POINTS_A_LAP)) throw new Error(`${counts.join(' and ')} points arrived`);
  return findings(laps.slice(1));
};

const findings = (laps: { drained_ms: number; bare_ms: number }[]): Findings => {
  const ratio = median(laps.map(({ drained_ms, bare_ms }) => bare_ms / drained_ms));
  const drained = median(laps.map(({ drained_ms }) => perSecond(drained_ms)));
  const bare = median(laps.map(({ bare_ms }) => perSecond(bare_ms)));
  const table = new Table({
    head: [`${laps.length} × ${POINTS_A_LAP} points into InfluxDB 1.x`, 'points a second'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right'],
  });
  table.push(['perfleet: from the outbox, deleted when taken', drained.toFixed(0)]);
  table.push(['the bare client (influx), from memory', bare.toFixed(0)]);
  return {
    figures: { laps, points_a_lap: POINTS_A_LAP, drained_per_second: drained, bare_per_second: bare, ratio },
    tables: [table.toString(), `Points a second, perfleet ÷ bare client, median of laps: ${ratio.toFixed(3)}`],
    targets: [{ what: 'points a second, perfleet ÷ bare client', seen: ratio, at_least: 0.8 }],
  };
};

/** How fast is the outbox emptied, once InfluxDB is back? */
export const influxBench: Bench = {
  about: 'points a second from the outbox into a real InfluxDB, beside the bare client',
  async run() {
    mkdirSync('node_modules/.cache/perfleet', { recursive: true });
    const folder = mkdtempSync(join('node_modules/.cache/perfleet', 'influx-'));
    const influxdb = await InfluxDb.prepare();
    try {
      await influxdb.start();
      return await compare(influxdb, folder);
    } finally {
      await influxdb.remove();
      rmSync(folder, { recursive: true });
    }
  },
};
