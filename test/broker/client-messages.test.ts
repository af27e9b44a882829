import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { MqttLink } from '../../broker/client.ts';
import { MAX_PAYLOAD_BYTES } from '../../broker/contract/numbers.ts';
import { commandTopic, controllerTopic, eventTopic, resultTopic, statusTopic } from '../../broker/contract/topics.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { until } from '../helpers/until.ts';
import { connected, makeLink, startBroker, statusOf } from './fixture.ts';
import { startMute } from './mute-broker.ts';

beforeEach(nothingOpen);
afterAll(nothingOpen);

const ready = { type: 'ready', run: 'r-1', boot: 'b1', nonce: 'n1' } as const;

describe('publishing', () => {
  test('resolves when the broker has acknowledged, and retains when asked to', async () => {
    const { port } = await startBroker();
    const { link, messages } = makeLink(port, 'ap-1');
    await connected(link);
    expect(link.connected).toBe(true);
    await link.publish(statusTopic('ap-1'), statusOf('b1'), { retain: true });
    link.subscribe([statusTopic('ap-1')]);
    await until('the retained status arrives', () => messages.length > 0);
    expect(messages).toEqual([{ topic: statusTopic('ap-1'), payload: statusOf('b1'), retained: true }]);
  });

  test('is rejected without a connection, and nothing is sent later', async () => {
    const { port } = await startBroker();
    const { messages, link: controller } = makeLink(port, 'perfleet-controller');
    controller.subscribe(['perfleet/1/#']);
    await connected(controller);
    const { link } = makeLink(port, 'ap-1');
    await expect(link.publish(eventTopic('ap-1'), ready)).rejects.toThrow(
      'no connection to the broker: nothing sent on perfleet/1/device/ap-1/event',
    );
    await connected(link);
    await link.publish(eventTopic('ap-1'), { ...ready, nonce: 'n2' });
    await until('an event arrives', () => messages.length > 0);
    expect(messages.map(({ payload }) => payload)).toEqual([{ ...ready, nonce: 'n2' }]);
  });

  test('is rejected when the payload is too large', async () => {
    const { port } = await startBroker();
    const { link } = makeLink(port, 'ap-1');
    await connected(link);
    const output = {
      test: 't',
      exit_code: 0,
      stdout: 'é'.repeat(MAX_PAYLOAD_BYTES / 2),
      stderr: '',
      started_ms: 0,
      ended_ms: 1,
    };
    const sent = link.publish(resultTopic('ap-1', 'r-1'), { run: 'r-1', token: 1, boot: 'b', tests: [output] });
    await expect(sent).rejects.toThrow(/^10486\d\d bytes for .*: over 1048576, not sent$/);
  });

  test('is rejected when the connection ends before the acknowledgement', async () => {
    const { port } = await startMute(true, (type, socket) => {
      if (type === 3) socket.destroy();
    });
    const { link } = makeLink(port, 'ap-1');
    await connected(link);
    await expect(link.publish(eventTopic('ap-1'), ready)).rejects.toThrow(
      'the connection to the broker ended before it answered: closed by the broker',
    );
  });

  test('is rejected while taking leave', async () => {
    const { port } = await startBroker();
    const { link } = makeLink(port, 'ap-1');
    await connected(link);
    const stopped = link.stop();
    await expect(link.publish(eventTopic('ap-1'), ready)).rejects.toThrow('client disconnecting');
    await stopped;
  });

  test('a payload that is not of the topic does not compile', () => {
    const wrong = (link: MqttLink) => [
      // @ts-expect-error an event is no status
      link.publish(statusTopic('a'), ready),
      // @ts-expect-error a status is no event
      link.publish(eventTopic('a'), statusOf('b')),
      // @ts-expect-error an unknown command
      link.publish(commandTopic('a'), { type: 'reboot', run: 'r' }),
      // @ts-expect-error a topic that the contract does not know
      link.publish('perfleet/1/device/a/other', statusOf('b')),
      // @ts-expect-error a topic that is only a string
      link.publish(statusTopic('a') as string, statusOf('b')),
      // @ts-expect-error also the last message is typed
      link.stop({ topic: controllerTopic(), payload: ready }),
    ];
    expect(wrong).toBeTypeOf('function');
  });
});

describe('subscribing', () => {
  test('a refused filter is logged as an error, and the link works without it', async () => {
    const { port } = await startBroker();
    const { link, log } = makeLink(port, 'ap-1');
    link.subscribe([commandTopic('ap-1'), commandTopic('ap-2')]);
    await connected(link);
    expect(log.of('error')).toMatchObject([{ fields: { username: 'ap-1', refused: [commandTopic('ap-2')] } }]);
    link.subscribe([eventTopic('ap-1')]);
    await until('the second refusal is logged', () => log.of('error').length === 2);
    expect(link.connected).toBe(true);
  });

  test('a filter that MQTT does not know is logged too', async () => {
    const { port } = await startBroker();
    const { link, log } = makeLink(port, 'ap-1');
    link.subscribe(['a/#/b']);
    await connected(link);
    expect(log.of('error')).toMatchObject([{ fields: { refused: ['a/#/b'] } }]);
  });

  test('a connection that ends before the subscriptions are answered does not count as connected', async () => {
    let subscribes = 0;
    const { port } = await startMute(true, (type, socket) => {
      if (type === 8) {
        subscribes += 1;
        socket.destroy();
      }
    });
    const { link, log } = makeLink(port, 'ap-1');
    let connects = 0;
    link.onConnect(() => {
      connects += 1;
    });
    link.subscribe([commandTopic('ap-1')]);
    link.start();
    await until('it has tried again', () => subscribes >= 3);
    expect(connects).toBe(0);
    expect(link.connected).toBe(false);
    expect(log.of('error')).toEqual([]);
  });
});
