import type { Socket } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_PAYLOAD_BYTES } from '../../broker/contract/numbers.ts';
import { controllerTopic, eventTopic, statusTopic } from '../../broker/contract/topics.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { until } from '../helpers/until.ts';
import { publish, rawClient, startBroker, startController, subscribe } from './fixture.ts';

beforeEach(nothingOpen);
afterAll(nothingOpen);

describe('publishing', () => {
  test.each([
    ['on the topic of another device', statusTopic('ap-2'), 'x', { retain: true }],
    ['as the controller', controllerTopic(), 'x', { retain: true }],
    ['a retained event', eventTopic('ap-1'), 'x', { retain: true }],
    ['on $SYS', '$SYS/x', 'x', {}],
    ['too much', eventTopic('ap-1'), Buffer.alloc(MAX_PAYLOAD_BYTES + 1), {}],
    ['with QoS 2', statusTopic('ap-2'), 'x', { qos: 2 }],
  ] as const)('%s is acknowledged, counted and dropped; the client stays', async (_name, topic, payload, options) => {
    const { broker, port, log } = await startBroker();
    const { messages } = await startController(port);
    const device = await rawClient(port, 'ap-1');
    await publish(device, topic, payload, options);
    await publish(device, eventTopic('ap-1'), 'good');
    await until('the good one arrives', () => messages.length > 0);
    expect(messages).toEqual([`${eventTopic('ap-1')} good`]);
    expect(broker.counters.publishes_refused).toBe(1);
    expect(log.of('warn')).toMatchObject([{ fields: { username: 'ap-1', topic } }]);
    expect((await rawClient(port, 'ap-3')).connected).toBe(true);
  });

  test('a refused retained message is not kept', async () => {
    const { port } = await startBroker();
    const device = await rawClient(port, 'ap-1');
    await publish(device, statusTopic('ap-2'), 'forged', { retain: true });
    await publish(device, statusTopic('ap-1'), 'own', { retain: true });
    const { messages } = await startController(port);
    await until('what is kept arrives', () => messages.length > 0);
    expect(messages).toEqual([`${statusTopic('ap-1')} own`]);
  });

  test('the largest payload arrives whole', async () => {
    const { port } = await startBroker();
    const { messages } = await startController(port);
    const device = await rawClient(port, 'ap-1');
    const topic = `perfleet/1/device/ap-1/result/${'r'.repeat(64)}`;
    const payload = 'x'.repeat(MAX_PAYLOAD_BYTES);
    await publish(device, topic, payload);
    await until('it arrives', () => messages.length > 0);
    expect(messages[0] === `${topic} ${payload}`).toBe(true);
  });

  test('QoS 2 is understood', async () => {
    const { port } = await startBroker();
    const { messages } = await startController(port);
    const device = await rawClient(port, 'ap-1');
    for (const payload of ['1', '2']) await publish(device, eventTopic('ap-1'), payload, { qos: 2 });
    await until('both arrive', () => messages.length === 2);
  });
});

describe('subscribing', () => {
  test('refused filters are answered with 128 one by one, and the allowed ones work', async () => {
    const { broker, port } = await startBroker();
    const { controller } = await startController(port);
    const device = await rawClient(port, 'ap-1');
    const received: string[] = [];
    device.on('message', (topic) => received.push(topic));
    const own = 'perfleet/1/device/ap-1/command';
    const filters = [statusTopic('ap-2'), own, 'perfleet/1/#', '#', '$SYS/#', '$SYS/x', 'perfleet/1/device/+/command'];
    expect(await subscribe(device, ...filters)).toEqual([128, 1, 128, 128, 128, 128, 128]);
    expect(broker.counters.subscriptions_refused).toBe(6);
    await publish(controller, 'perfleet/1/device/ap-2/command', 'not for ap-1');
    await publish(controller, own, 'for ap-1');
    await until('the command arrives', () => received.length > 0);
    expect(received).toEqual([own]);
  });

  test('a device sees its own retained status and the retained status of the controller', async () => {
    const { port } = await startBroker();
    const { controller } = await startController(port);
    await publish(controller, controllerTopic(), 'c', { retain: true });
    const device = await rawClient(port, 'ap-1');
    await publish(device, statusTopic('ap-1'), 's', { retain: true });
    const received: [string, boolean][] = [];
    device.on('message', (_topic, payload, packet) => received.push([`${payload}`, packet.retain]));
    await subscribe(device, statusTopic('ap-1'), controllerTopic());
    await until('both arrive', () => received.length === 2);
    expect(received).toEqual([
      ['s', true],
      ['c', true],
    ]);
  });
});

describe('the last will', () => {
  test('fires when the connection is cut or reset, not when the client takes leave', async () => {
    const { port } = await startBroker();
    const { messages } = await startController(port);
    const will = (device: string) =>
      ({ topic: statusTopic(device), payload: Buffer.from('gone'), qos: 1, retain: true }) as const;
    const polite = await rawClient(port, 'ap-1', { will: will('ap-1') });
    await polite.endAsync();
    const cut = await rawClient(port, 'ap-2', { will: will('ap-2') });
    cut.stream.destroy();
    await until('a will fires', () => messages.length === 1);
    const reset = await rawClient(port, 'ap-3', { will: will('ap-3') });
    (reset.stream as Socket).resetAndDestroy();
    await until('another will fires', () => messages.length === 2);
    expect(messages).toEqual([`${statusTopic('ap-2')} gone`, `${statusTopic('ap-3')} gone`]);
  });
});
