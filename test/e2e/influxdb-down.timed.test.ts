import { expect } from 'vitest';
import { fleetTest } from '../helpers/fleet-test.ts';
import { InfluxDb } from '../helpers/influxdb.ts';
import { ONE_SECOND } from '../helpers/real-fleet.ts';
import { until } from '../helpers/until.ts';

const test = fleetTest(['s-1', 's-2']);

test.concurrent('InfluxDB may be down while runs end and the controller restarts: nothing is lost, nothing doubled', async ({
  fleet,
}) => {
  const influxdb = await InfluxDb.prepare();
  fleet.alsoStop(() => influxdb.remove());
  const influx = { version: 1, url: influxdb.url, database: 'perfleet' };
  const settings = { influx, check: { retries: 0, tests: [ONE_SECOND, { ...ONE_SECOND, direction: 'download' }] } };
  const devices = ['ap-1', 'ap-2'];
  const measureAll = async () => {
    const runs: string[] = [];
    for (const device of devices) runs.push(await fleet.order(device));
    for (const run of runs) expect(await fleet.over(run)).toMatchObject({ outcome: 'success' });
  };

  const controller = await fleet.serve(settings);
  await fleet.join(...devices);
  await measureAll();
  await controller.says(/Points wait for InfluxDB, trying again: .*ECONNREFUSED/);
  // Two points of measurements and one of the run each.
  expect((await fleet.status()).influx).toMatchObject({ waiting: 6 });
  expect(await controller.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });

  await fleet.serve(settings);
  await fleet.allOnline();
  expect((await fleet.status()).influx).toMatchObject({ waiting: 6 });
  await measureAll();
  await influxdb.start();
  await influxdb.query('CREATE DATABASE perfleet');
  await until('all points are written', async () => (await fleet.status()).influx?.waiting === 0, 30);
  expect((await fleet.status()).influx).toEqual({ waiting: 0, rejected: 0, last_error: null });

  const count = async (influxql: string) => (await influxdb.query(influxql, 'perfleet')).flat()[1];
  expect(await count('SELECT count(bits_per_second) FROM iperf3')).toBe(8);
  expect(await count('SELECT sum(success) FROM iperf3_run')).toBe(4);
  const records = await fleet.api.runs({});
  const rates = records.flatMap(({ measurements }) => measurements.map((one) => one.bits_per_second));
  const points = await influxdb.query('SELECT bits_per_second FROM iperf3', 'perfleet');
  expect(points.map(([, rate]) => Number(rate)).sort()).toEqual(rates.sort());
});
