import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_PAYLOAD_BYTES } from '../../broker/contract/numbers.ts';
import { statusTopic } from '../../broker/contract/topics.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { until } from '../helpers/until.ts';
import { connectPacket, publish, rawClient, rawSocket, startBroker, startController, subscribe } from './fixture.ts';

beforeEach(nothingOpen);
afterAll(nothingOpen);

describe('cutting', () => {
  test('a connection that has not authenticated after ten seconds is cut, even if it has sent half a CONNECT', async () => {
    const clock = new ManualClock();
    const { broker, port } = await startBroker({ clock });
    const accepted = await rawClient(port, 'ap-1');
    const { socket, closed } = await rawSocket(port);
    socket.write(connectPacket('ap-2', 'ap-2').subarray(0, 9));
    await until('the stranger is cut', () => {
      clock.advance(10_000);
      return broker.counters.connections_timed_out === 1;
    });
    await closed;
    expect(broker.counters.connections_timed_out).toBe(1);
    expect(accepted.connected).toBe(true);
  });

  test('an authenticator that never answers does not keep a connection', async () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const { broker, port } = await startBroker({
      clock,
      authenticate: (username) => {
        asked.push(username);
        return new Promise(() => {});
      },
    });
    const { socket, closed } = await rawSocket(port);
    socket.write(connectPacket('ap-1', 'ap-1'));
    await until('the password is checked', () => asked.length === 1);
    clock.advance(10_000);
    await closed;
    expect(broker.counters.connections_timed_out).toBe(1);
  });

  test('a stranger who declares more than 64 KiB is cut at once, before sending it', async () => {
    const { broker, port, log } = await startBroker();
    const { socket, closed } = await rawSocket(port);
    socket.write(Buffer.from([0x10, 0x81, 0x80, 0x04]));
    await closed;
    expect(broker.counters.connections_oversized).toBe(1);
    expect(log.of('warn')[0]?.fields).toMatchObject({ peer: '127.0.0.1' });
  });

  test('a client that declares more than the largest payload and its header is cut at once, and may come back', async () => {
    const { broker, port } = await startBroker();
    const { socket, closed, received } = await rawSocket(port);
    socket.write(connectPacket('ap-1', 'ap-1'));
    await until('a CONNACK arrives', () => received().length === 4);
    socket.write(Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f]));
    await closed;
    expect(broker.counters.connections_oversized).toBe(1);
    await rawClient(port, 'ap-1');
  });

  test('nothing of an oversized packet reaches the broker, even when it comes in one piece with a good one', async () => {
    const { broker, port } = await startBroker();
    const { socket, closed } = await rawSocket(port);
    socket.write(
      Buffer.concat([connectPacket('ap-1', 'ap-1'), Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(9000)]),
    );
    await closed;
    expect(broker.counters).toMatchObject({ connections_accepted: 1, connections_oversized: 1 });
  });

  test('what is not MQTT is cut', async () => {
    const { port, log } = await startBroker();
    const { socket, closed } = await rawSocket(port);
    socket.write('GET / HTTP/1.1\r\nHost: broker\r\n\r\n');
    await closed;
    expect(log.of('debug').length).toBeGreaterThan(0);
  });

  test('a client that breaks the protocol later is cut', async () => {
    const { broker, port, log } = await startBroker();
    const { socket, closed } = await rawSocket(port);
    socket.write(connectPacket('ap-1', 'ap-1'));
    await until('it is accepted', () => broker.counters.connections_accepted === 1);
    socket.write(connectPacket('ap-1', 'ap-1'));
    await closed;
    expect(log.of('debug').at(-1)?.message).toBe('client ended');
  });
});

describe('a client that does not read', () => {
  test('holds up nobody else, and not the stop, even with many messages to it under way', async () => {
    const { broker, port } = await startBroker();
    const deaf = broker.open();
    const subscribePacket = Buffer.from([0x82, 17, 0, 1, 0, 12, ...Buffer.from('perfleet/1/#'), 1]);
    deaf.write(Buffer.concat([connectPacket('deaf', 'x'), subscribePacket]));
    const topic = Buffer.from('perfleet/1/device/ap-9/command');
    const packet = Buffer.concat([Buffer.from([0x30, 132, 1, 0, topic.length]), topic, Buffer.alloc(100)]);
    for (let burst = 0; burst < 5; burst++) deaf.write(Buffer.concat(Array(450).fill(packet)));
    await until('its buffers are full', () => deaf.readableLength > 16_000);
    const device = await rawClient(port, 'ap-1');
    const received: string[] = [];
    device.on('message', (_topic, payload) => received.push(`${payload}`));
    await subscribe(device, statusTopic('ap-1'));
    await publish(device, statusTopic('ap-1'), 'alive');
    await until('the status comes back', () => received.length > 0);
    expect(deaf.destroyed).toBe(false);
    await broker.stop();
  });

  test('loses messages if it is a device, instead of holding up the controller', async () => {
    const { broker, port } = await startBroker();
    const { controller } = await startController(port);
    const commands: string[] = [];
    const device = await rawClient(port, 'ap-1');
    device.on('message', (_topic, payload) => commands.push(`${payload}`));
    await subscribe(device, 'perfleet/1/device/ap-1/command');
    const deaf = await rawClient(port, 'ap-2');
    await subscribe(deaf, statusTopic('ap-2'), 'perfleet/1/device/ap-2/command');
    deaf.stream.unpipe();
    deaf.stream.pause();
    const large = Buffer.alloc(MAX_PAYLOAD_BYTES / 2);
    await until('the broker gives up on it', async () => {
      deaf.publish(statusTopic('ap-2'), large);
      await publish(controller, 'perfleet/1/device/ap-2/command', 'unheard');
      return broker.counters.deliveries_dropped > 0;
    });
    await publish(controller, 'perfleet/1/device/ap-1/command', 'heard');
    await until('the command arrives', () => commands.length > 0);
    expect(broker.connected).toBe(3);
  });
});
