import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { OutboxDrain } from '../../../controller/influx/drain.ts';
import type { Point } from '../../../controller/influx/points.ts';
import { writerV1 } from '../../../controller/influx/writer-v1.ts';
import { writerV2 } from '../../../controller/influx/writer-v2.ts';
import { Database } from '../../../controller/store/database.ts';
import { Outbox } from '../../../controller/store/outbox.ts';
import { migrate } from '../../../controller/store/schema.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { VictoriaMetrics } from '../../helpers/victoria-metrics.ts';
import { oneOfEach, points, T0 } from './samples.ts';

let victoria: VictoriaMetrics;
beforeAll(async () => {
  victoria = await VictoriaMetrics.prepare();
  await victoria.start();
});
afterAll(() => victoria.remove());

const writers = {
  1: () => writerV1({ version: 1, url: victoria.url, database: 'fleet', username: null, password: null }, systemClock),
  2: () =>
    writerV2({ version: 2, url: victoria.url, organization: 'wisp', bucket: 'fleet', token: 'unused' }, systemClock),
};

test.each([1, 2] as const)('VictoriaMetrics takes points through the API of version %i', async (version) => {
  const device = `by-v${version}`;
  expect(await writers[version]().check()).toEqual({ ok: true });
  expect(await writers[version]().write([...oneOfEach(), ...points(1, { device })])).toEqual({ kind: 'ok' });
  const series = await victoria.samples('iperf3_bits_per_second');
  const found = series.find(({ metric: { device: of } }) => of === device);
  expect(found).toMatchObject({ values: [94_000_000], timestamps: [T0] });
  expect(found?.metric).toMatchObject({
    organization: 'acme',
    server: 'milan-1',
    protocol: 'tcp',
    direction: 'upload',
  });
  expect(await victoria.samples('iperf3_run_success')).toContainEqual(expect.objectContaining({ values: [0] }));
});

test.each([1, 2] as const)('VictoriaMetrics refuses a line that is too long, in version %i too', async (version) => {
  const outcome = await writers[version]().write(oneOfEach('x'.repeat(300_000)));
  expect(outcome).toMatchObject({ kind: 'rejected', reason: expect.stringContaining('too long line') });
});

test('VictoriaMetrics may be down at first, and restart in between: nothing is lost', async () => {
  await victoria.stop();
  const database = Database.open(join(tempFolder(), 'a.db'));
  onTestFinished(() => database.close());
  migrate(database);
  const outbox = new Outbox(database);
  const clock = { ...systemClock, after: (ms: number, callback: () => void) => systemClock.after(ms / 100, callback) };
  const log = { info: () => {}, warn: () => {} };
  const drain = new OutboxDrain({ outbox, writer: writers[2](), clock, random: Math.random, log });
  onTestFinished(() => drain.stop());
  const add = (batch: Point[]) => database.transaction(() => outbox.add(batch));
  add(points(3000, { device: 'restarted' }));
  drain.start();
  await until('it has failed', () => drain.status().last_error?.includes('ECONNREFUSED'));
  await victoria.start();
  await until('the first points arrive', () => drain.status().waiting < 3000);
  await victoria.stop();
  add(points(2000, { device: 'restarted', from: 3000 }));
  drain.kick();
  await victoria.start();
  await until('all have arrived', () => drain.status().waiting === 0);
  const series = await victoria.samples('iperf3_bits_per_second');
  const found = series.find(({ metric: { device } }) => device === 'restarted');
  expect(new Set(found?.timestamps).size).toBe(5000);
});
