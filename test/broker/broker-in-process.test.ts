import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmbeddedBroker } from '../../broker/broker.ts';
import { controllerTopic, statusTopic } from '../../broker/contract/topics.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { until } from '../helpers/until.ts';
import { connected, makeLink, startBroker, statusOf } from './fixture.ts';

beforeEach(nothingOpen);
afterAll(nothingOpen);

describe('inside the process', () => {
  const inProcess = (broker: EmbeddedBroker, boot = 'c1') => {
    const streams: ReturnType<EmbeddedBroker['open']>[] = [];
    const stream = () => {
      const opened = broker.open();
      streams.push(opened);
      return opened;
    };
    const status = { online: false, boot, version: null };
    const controller = makeLink(0, 'perfleet-controller', {
      url: null,
      stream,
      username: null,
      password: null,
      will: { topic: controllerTopic(), payload: status, retain: true },
    });
    return { ...controller, streams };
  };

  test('a controller needs no password, sends and receives like any other client', async () => {
    const { broker, port } = await startBroker();
    const { link, messages } = inProcess(broker);
    link.subscribe(['perfleet/1/#']);
    await connected(link);
    const device = makeLink(port, 'ap-1');
    device.link.subscribe(['perfleet/1/device/ap-1/command']);
    await connected(device.link);
    await device.link.publish(statusTopic('ap-1'), statusOf('b1'), { retain: true });
    await link.publish('perfleet/1/device/ap-1/command', { type: 'cancel', run: 'r-1', reason: 'test' });
    await until('both arrive', () => messages.length === 2 && device.messages.length === 1);
    expect(messages[0]).toEqual({ topic: statusTopic('ap-1'), payload: statusOf('b1'), retained: false });
  });

  test('its last will fires when the stream is cut, and not when it takes leave', async () => {
    const { broker, port } = await startBroker();
    const { link, streams } = inProcess(broker);
    await connected(link);
    const watcher = makeLink(port, 'ap-1');
    watcher.link.subscribe([controllerTopic()]);
    await connected(watcher.link);
    const again = new Promise<void>((resolve) => link.onConnect(resolve));
    streams[0]?.destroy();
    await again;
    await until('the will fires', () => watcher.messages.length === 1);
    expect(watcher.messages[0]?.payload).toEqual({ online: false, boot: 'c1', version: null });
    await link.stop({ topic: controllerTopic(), payload: { online: false, boot: 'bye', version: null }, retain: true });
    await until('the farewell arrives', () => watcher.messages.length === 2);
    expect(watcher.messages[1]?.payload).toMatchObject({ boot: 'bye' });
    await until('it has left', () => broker.connected === 1);
    expect(watcher.messages).toHaveLength(2);
  });

  test('it is cut like any other when it says nothing for ten seconds', async () => {
    const clock = new ManualClock();
    const { broker } = await startBroker({ clock });
    const stream = broker.open();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    clock.advance(10_000);
    await closed;
    expect(broker.counters.connections_timed_out).toBe(1);
  });
});
