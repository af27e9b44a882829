import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { influxDrain } from '../../../controller/influx/influx-drain.ts';
import { freePort } from '../../helpers/free-port.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { until } from '../../helpers/until.ts';
import { openStore } from '../store/open-store.ts';
import { point } from '../store/samples.ts';

const make = (port: number, version: 1 | 2) => {
  const url = `http://127.0.0.1:${port}`;
  const log = new RecordedLog();
  const { outbox } = openStore();
  const settings =
    version === 1
      ? ({ version, url, database: 'perfleet', username: null, password: null } as const)
      : ({ version, url, organization: 'wisp', bucket: 'perfleet', token: 'secret' } as const);
  const influx = influxDrain(settings, { outbox, clock: systemClock, random: () => 0, log });
  if (influx === null) throw new Error('there is an InfluxDB in the settings');
  return { ...influx, outbox, log };
};

/** An InfluxDB that takes everything. */
const yes = async (): Promise<number> => {
  const port = await freePort();
  const server = createServer((_request, response) => response.writeHead(204).end()).listen(port, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return port;
};

it('there is none without an InfluxDB in the settings', () => {
  const { outbox } = openStore();
  expect(influxDrain(null, { outbox, clock: systemClock, random: () => 0, log: new RecordedLog() })).toBeNull();
});

it.each([1, 2] as const)(
  'says at the start that InfluxDB %i can be written, or what is wrong with it',
  async (version) => {
    const good = make(await yes(), version);
    await good.check();
    expect(good.log.lines).toMatchObject([{ level: 'info', message: 'InfluxDB can be written' }]);
    const bad = make(await freePort(), version);
    await bad.check();
    expect(bad.log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('check that it runs') }]);
  },
);

it('carries the outbox there, and says when it was away', async () => {
  const port = await freePort();
  const { drain, outbox, log } = make(port, 1);
  outbox.add([point()]);
  drain.start();
  onTestFinished(() => drain.stop());
  await until('it has failed', () => log.of('warn').length === 1);
  const server = createServer((_request, response) => response.writeHead(204).end()).listen(port, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await until('the outbox is empty', () => outbox.counts().waiting === 0);
  await until('it says so', () => log.of('info').length === 1);
});
