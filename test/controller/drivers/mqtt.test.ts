import { expect, it } from 'vitest';
import { MqttDriver } from '../../../controller/drivers/mqtt.ts';
import { connected, makeLink, startBroker } from '../../broker/fixture.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { until } from '../../helpers/until.ts';

const OWN = 'perfleet/1/controller/status';

/** A driver that hears its own status. */
const makeDriver = async () => {
  const { port } = await startBroker();
  const { link } = makeLink(port, 'perfleet-controller');
  const log = new RecordedLog();
  link.subscribe([OWN]);
  await connected(link);
  return { driver: new MqttDriver(link, log), link, log };
};

it('a handler that throws, whatever it is, ends nothing: it is logged as a defect', async () => {
  const { driver, link, log } = await makeDriver();
  const thrown = [new Error('a defect'), 'another one', Object.assign(new Error('bare'), { stack: undefined })];
  driver.onMessage(() => {
    throw thrown.shift();
  });
  for (const boot of ['b1', 'b2', 'b3']) await link.publish(OWN, { online: true, boot, version: null });
  const lines = await until('all are logged', () => (log.of('error').length === 3 ? log.of('error') : null));
  expect(lines.map(({ fields }) => String(fields['error']).split('\n')[0])).toEqual([
    'Error: a defect',
    'another one',
    'bare',
  ]);
  expect(driver.dropped).toBe(0);
});

it('a command that can not be sent now is dropped with a word in the log', async () => {
  const { driver, link, log } = await makeDriver();
  await link.stop();
  driver.cancel('ap-1', 'r-1', 'enough');
  await until('it is logged', () => log.of('debug').length === 1);
  expect(log.of('debug')[0]?.fields).toMatchObject({ device: 'ap-1', type: 'cancel' });
});
