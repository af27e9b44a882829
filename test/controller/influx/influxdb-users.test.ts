import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { writerV1 } from '../../../controller/influx/writer-v1.ts';
import { InfluxDb } from '../../helpers/influxdb.ts';
import { points } from './samples.ts';

const ROOT = 'root:Toor-1234';
let influxdb: InfluxDb;
beforeAll(async () => {
  influxdb = await InfluxDb.prepare({ users: true });
  await influxdb.start();
  await influxdb.query(`CREATE USER root WITH PASSWORD 'Toor-1234' WITH ALL PRIVILEGES`);
  await influxdb.query('CREATE DATABASE fleet', '', ROOT);
  await influxdb.query(`CREATE USER perfleet WITH PASSWORD 'pass word:1'`, '', ROOT);
});
afterAll(() => influxdb.remove());

const writer = (username: string | null, password: string | null) =>
  writerV1({ version: 1, url: influxdb.url, database: 'fleet', username, password }, systemClock);

test('a wrong password, and none, are told from a missing permission, and each message says what to do', async () => {
  for (const wrong of [writer('perfleet', 'wrong'), writer(null, null)]) {
    expect(await wrong.check()).toEqual({
      ok: false,
      reason: expect.stringMatching(/answered 401 .*: check influx.username and its password$/),
    });
  }
  expect(await writer('perfleet', 'pass word:1').check()).toEqual({
    ok: false,
    reason: expect.stringMatching(/answered 403 .*: allow influx.username.* to write to database "fleet"$/),
  });
});

test('a user who may only write needs nothing more', async () => {
  await influxdb.query('GRANT WRITE ON fleet TO perfleet', '', ROOT);
  expect(await writer('perfleet', 'pass word:1').check()).toEqual({ ok: true });
  expect(await writer('perfleet', 'pass word:1').write(points(3))).toEqual({ kind: 'ok' });
  const [[, count] = []] = await influxdb.query('SELECT count(bytes) FROM iperf3', 'fleet', ROOT);
  expect(count).toBe(3);
});
