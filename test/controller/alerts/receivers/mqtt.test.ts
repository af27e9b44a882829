import { connectAsync } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { MqttLink } from '../../../../broker/client.ts';
import { systemClock } from '../../../../broker/clock.ts';
import { mqtt } from '../../../../controller/alerts/receivers/mqtt.ts';
import { Mosquitto } from '../../../helpers/mosquitto.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { until } from '../../../helpers/until.ts';
import { notice, patience } from '../notices.ts';

const SETTINGS = { kind: 'mqtt', topic: 'alerts/perfleet' } as const;

test('a notice is published as JSON, not retained; while the broker is away it is to be tried again', async () => {
  const broker = await Mosquitto.start();
  onTestFinished(() => broker.remove());
  const reader = await connectAsync(broker.url);
  onTestFinished(() => reader.endAsync());
  await reader.subscribeAsync('alerts/#', { qos: 1 });
  const heard: { topic: string; text: string; retain: boolean; qos: number }[] = [];
  reader.on('message', (topic, text, { retain, qos }) => heard.push({ topic, text: text.toString(), retain, qos }));

  const link = new MqttLink({
    url: broker.url,
    clientId: 'controller',
    username: null,
    password: null,
    tls: null,
    clock: systemClock,
    random: () => 0,
    log: new RecordedLog(),
  });
  onTestFinished(() => link.stop());
  const receiver = mqtt(SETTINGS, link);
  expect(await receiver.send(notice(), patience)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('no connection to the broker'),
  });
  link.start();
  await until('the link is up', () => link.connected);
  expect(await receiver.send(notice(), patience)).toEqual({
    kind: 'delivered',
    answer: 'the broker took it for alerts/perfleet; who may read that it does not say',
  });
  await until('it was heard', () => heard.length > 0);
  expect(heard).toEqual([{ topic: 'alerts/perfleet', text: JSON.stringify(notice()), retain: false, qos: 1 }]);
});

test('on the embedded broker nobody could hear it: it is kept, and the reason says what to do', async () => {
  expect(await mqtt(SETTINGS, null).send(notice(), patience)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('set broker.url'),
  });
});
