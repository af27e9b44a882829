import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { OutboxDrain } from '../../../controller/influx/drain.ts';
import type { Point } from '../../../controller/influx/points.ts';
import { writerV1 } from '../../../controller/influx/writer-v1.ts';
import { Store } from '../../../controller/store/store.ts';
import { InfluxDb } from '../../helpers/influxdb.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { newRun, resultWrite } from '../store/samples.ts';
import { oneOfEach, points } from './samples.ts';

let influxdb: InfluxDb;
beforeAll(async () => {
  influxdb = await InfluxDb.prepare();
  await influxdb.start();
});
afterAll(() => influxdb.remove());

const writer = (database: string) =>
  writerV1({ version: 1, url: influxdb.url, database, username: null, password: null }, systemClock);

/** An empty database. */
const create = async (database: string): Promise<string> => {
  await influxdb.query(`CREATE DATABASE "${database}"`);
  return database;
};
const count = async (database: string) =>
  Number((await influxdb.query('SELECT count(bits_per_second) FROM iperf3', database))[0]?.[1] ?? 0);

/** A drain on a store in `folder`, with its waits shortened a hundredfold. */
const drainOf = (store: Store, database: string): OutboxDrain => {
  const clock = { ...systemClock, after: (ms: number, callback: () => void) => systemClock.after(ms / 100, callback) };
  const log = { info: () => {}, warn: () => {} };
  return new OutboxDrain({ outbox: store.outbox, writer: writer(database), clock, random: Math.random, log });
};
const openStore = (folder: string): Store => {
  const store = Store.open(folder);
  onTestFinished(() => store.close());
  return store;
};
const addResult = (store: Store, token: number, batch: Point[]): void => {
  store.runs.add([newRun(`r-${token}`)]);
  expect(store.results.store(resultWrite(`r-${token}`, token, { points: batch }))).toBe('stored');
};

test('fields have the types of the schema, and the run id is no tag', async () => {
  const database = await create('types');
  expect(await writer(database).write(oneOfEach())).toEqual({ kind: 'ok' });
  expect(await influxdb.query('SHOW FIELD KEYS FROM iperf3', database)).toEqual([
    ['bits_per_second', 'float'],
    ['bytes', 'integer'],
    ['cpu_device_percent', 'float'],
    ['cpu_server_percent', 'float'],
    ['jitter_ms', 'float'],
    ['lost_packets', 'integer'],
    ['lost_percent', 'float'],
    ['packets', 'integer'],
    ['retransmits', 'integer'],
    ['rtt_ms', 'float'],
    ['seconds', 'float'],
  ]);
  expect(await influxdb.query('SHOW FIELD KEYS FROM iperf3_run', database)).toEqual([
    ['attempts', 'integer'],
    ['duration_s', 'float'],
    ['queued_s', 'float'],
    ['reason', 'string'],
    ['run', 'string'],
    ['success', 'integer'],
  ]);
  expect((await influxdb.query('SHOW TAG KEYS FROM iperf3_run', database)).flat().sort()).toEqual([
    'device',
    'organization',
    'outcome',
    'server',
    'via',
  ]);
});

test('figures and times arrive as they were stored', async () => {
  const database = await create('figures');
  const [point] = points(1);
  await writer(database).write(point === undefined ? [] : [point]);
  const columns = 'bits_per_second, bytes, seconds, retransmits, rtt_ms, device';
  expect(await influxdb.query(`SELECT ${columns} FROM iperf3`, database)).toEqual([
    [point?.time_ms, 94_000_000, 117_500_000, 10, 3, 4, 'ap-0'],
  ]);
});

test.each(['it said "no", then \'never\'', 'a=b,c d', 'back\\slash \\', 'ünï 東京'])(
  'the reason %j arrives unharmed',
  async (reason) => {
    const database = await create('reasons');
    await writer(database).write(oneOfEach(reason));
    expect(await influxdb.query('SELECT reason FROM iperf3_run', database)).toMatchObject([
      [expect.anything(), reason],
    ]);
  },
);

test('check says yes for a database that exists, and names one that does not', async () => {
  expect(await writer(await create('there')).check()).toEqual({ ok: true });
  expect(await writer('not-there').check()).toEqual({
    ok: false,
    reason: expect.stringMatching(
      /answered 404 .*database not found.*: create database "not-there", or correct influx.url/,
    ),
  });
});

test('InfluxDB may be down at first, be killed in between, and the controller restarted: nothing is lost or doubled', async () => {
  const database = await create('outages');
  const folder = tempFolder();
  await influxdb.stop('SIGKILL');

  const store = openStore(folder);
  const drain = drainOf(store, database);
  drain.start();
  for (let token = 1; token <= 30; token += 1) addResult(store, token, points(100, { from: token * 100 }));
  drain.kick();
  await until('it has failed', () => drain.status().last_error?.includes('ECONNREFUSED'));
  expect(drain.status().waiting).toBe(3000);

  await influxdb.start();
  await until('the first points arrive', () => drain.status().waiting < 3000);
  const killing = influxdb.stop('SIGKILL');
  for (let token = 31; token <= 60; token += 1) addResult(store, token, points(100, { from: token * 100 }));
  drain.kick();
  await killing;
  await until('it has failed again', () => drain.status().last_error);
  await drain.stop();
  store.close();

  await influxdb.start();
  const again = openStore(folder);
  const secondDrain = drainOf(again, database);
  secondDrain.start();
  await until('all have arrived', () => secondDrain.status().waiting === 0);
  await secondDrain.stop();
  expect(await count(database)).toBe(6000);
  expect(secondDrain.status()).toMatchObject({ rejected: 0, last_error: null });
});

test('a point whose field has another type in InfluxDB is set aside, and those around it arrive', async () => {
  const database = await create('conflict');
  // The type of a field is fixed for a week of time at first: only the point of that week is in conflict.
  const week = 7 * 24 * 3600 * 1000;
  const conflict = points(1, { from: -4 * week });
  await influxdb.writeLine(`iperf3,device=x bits_per_second=1i ${conflict[0]?.time_ms}`, database);
  const store = openStore(tempFolder());
  addResult(store, 1, [...points(50), ...conflict, ...points(50, { from: 50 })]);
  const drain = drainOf(store, database);
  drain.start();
  await until('the outbox is empty', () => drain.status().waiting === 0);
  await drain.stop();
  expect(store.outbox.rejected(9)).toMatchObject([{ error: expect.stringContaining('field type conflict') }]);
  expect(JSON.parse(store.outbox.rejected(1)[0]?.point ?? '')).toEqual(conflict[0]);
  const recent = `WHERE time > ${(conflict[0]?.time_ms ?? 0) + week}ms`;
  expect(await influxdb.query(`SELECT count(retransmits) FROM iperf3 ${recent}`, database)).toMatchObject([
    [expect.anything(), 100],
  ]);
});
