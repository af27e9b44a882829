import type { Socket } from 'node:net';
import type { IClientPublishOptions, MqttClient } from 'mqtt';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { EmbeddedBroker } from '../../broker/broker.ts';
import { MAX_PAYLOAD_BYTES } from '../../broker/contract/numbers.ts';
import { controllerTopic, eventTopic, statusTopic } from '../../broker/contract/topics.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';
import { until } from '../helpers/until.ts';
import {
  authenticate,
  connected,
  connectPacket,
  makeLink,
  rawClient,
  rawSocket,
  startBroker,
  statusOf,
} from './fixture.ts';

const CONNACK = 0x20;

beforeEach(nothingOpen);
afterAll(nothingOpen);

/** Publishes with QoS 1 and waits for the PUBACK. */
const publish = (client: MqttClient, topic: string, payload: string | Buffer, options: IClientPublishOptions = {}) =>
  client.publishAsync(topic, payload, { qos: 1, ...options });

/** What the broker granted for each filter. */
const subscribe = (client: MqttClient, ...filters: string[]): Promise<number[]> =>
  new Promise((resolve) =>
    client.subscribe(filters, { qos: 1 }, (_error, _grants, packet) => resolve(packet?.granted as number[])),
  );

/** The controller, reading everything; its messages come as "topic payload". */
const startController = async (port: number) => {
  const controller = await rawClient(port, 'perfleet-controller');
  const messages: string[] = [];
  controller.on('message', (topic, payload) => messages.push(`${topic} ${payload}`));
  expect(await subscribe(controller, 'perfleet/1/#')).toEqual([1]);
  return { controller, messages };
};

const emptyIdAndLastingSession = (): Buffer => {
  const packet = connectPacket('', 'ap-1');
  packet[9] = 0b11000000;
  return packet;
};

describe('connecting', () => {
  test.each([
    ['a wrong password', 'ap-1', { password: 'wrong' }, 4],
    ['no password', 'ap-1', { password: undefined, username: 'ap-1' }, 4],
    ['the client id of somebody else', 'ap-1', { clientId: 'ap-2' }, 2],
    ['an empty client id', 'ap-1', { clientId: '' }, 2],
    [
      'the last will of somebody else',
      'ap-1',
      { will: { topic: statusTopic('ap-2'), payload: Buffer.from('{}'), qos: 1, retain: true } },
      5,
    ],
    [
      'a retained event as last will',
      'ap-1',
      { will: { topic: eventTopic('ap-1'), payload: Buffer.from('{}'), qos: 1, retain: true } },
      5,
    ],
    ['MQTT 5', 'ap-1', { protocolVersion: 5 }, 1],
  ] as const)('%s is refused', async (_name, username, options, code) => {
    const { broker, port } = await startBroker();
    const attempt = rawClient(port, username, options as object);
    if (code === 1) {
      await expect(attempt).rejects.toThrow();
      return;
    }
    await expect(attempt).rejects.toMatchObject({ code });
    expect(broker.counters.connections_refused).toBe(1);
    expect(broker.counters.connections_accepted).toBe(0);
  });

  test.each([
    ['without user name', [0x10, 13, 0, 4, ...Buffer.from('MQTT'), 4, 0b10, 0, 0, 0, 1, 0x61], 4],
    ['with an empty client id and a lasting session', emptyIdAndLastingSession(), 2],
  ])('%s is refused', async (_name, packet, code) => {
    const { port } = await startBroker();
    const { socket, received, closed } = await rawSocket(port);
    socket.write(Buffer.from(packet));
    await closed;
    expect([...received()]).toEqual([CONNACK, 2, 0, code]);
  });

  test('an authenticator that fails is answered with "server unavailable", and the error is logged', async () => {
    const { port, log } = await startBroker({ authenticate: () => Promise.reject(new Error('disk full')) });
    await expect(rawClient(port, 'ap-1')).rejects.toMatchObject({ code: 3 });
    expect(log.of('error')).toMatchObject([{ message: 'could not check a password', fields: { username: 'ap-1' } }]);
  });

  test('refusals are counted one by one, and logged once in ten seconds without the password', async () => {
    const clock = new ManualClock();
    const { broker, port, log } = await startBroker({ clock });
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(rawClient(port, 'ap-1', { password: 'guess' })).rejects.toThrow();
    }
    expect(broker.counters.connections_refused).toBe(3);
    const refusals = () => log.of('warn').filter(({ message }) => message === 'refused a connection to the broker');
    expect(refusals()).toHaveLength(1);
    clock.advance(10_000);
    await expect(rawClient(port, 'ap-1', { password: 'guess' })).rejects.toThrow();
    expect(refusals().map(({ fields }) => fields)).toEqual([
      { username: 'ap-1', client_id: 'ap-1', reason: 'bad-credentials', connections_refused: 1 },
      { username: 'ap-1', client_id: 'ap-1', reason: 'bad-credentials', connections_refused: 4 },
    ]);
  });

  test('a second client with the same id takes over from the first, whose last will fires', async () => {
    const { broker, port } = await startBroker();
    const { messages } = await startController(port);
    const will = { topic: statusTopic('ap-1'), payload: Buffer.from('gone'), qos: 1, retain: true } as const;
    const first = await rawClient(port, 'ap-1', { will });
    const closed = new Promise<void>((resolve) => first.once('close', () => resolve()));
    const second = await rawClient(port, 'ap-1');
    await closed;
    await publish(second, statusTopic('ap-1'), 'here', { retain: true });
    await until('both have arrived', () => messages.length === 2);
    expect(messages).toEqual([`${statusTopic('ap-1')} gone`, `${statusTopic('ap-1')} here`]);
    expect(broker.connected).toBe(2);
  });

  test('a device whose name and suffix make the name of another one does not take it over', async () => {
    const { port } = await startBroker();
    const victim = await rawClient(port, 'ap-12');
    await rawClient(port, 'ap', { clientId: 'ap-12' });
    expect(await subscribe(victim, 'perfleet/1/device/ap-12/command')).toEqual([1]);
  });

  test('a lasting session is treated as a clean one: nothing is queued for a client that is away', async () => {
    const { port } = await startBroker();
    const { controller } = await startController(port);
    const command = 'perfleet/1/device/ap-1/command';
    const away = await rawClient(port, 'ap-1', { clean: false });
    expect(await subscribe(away, command)).toEqual([1]);
    await away.endAsync();
    await publish(controller, command, 'stale');
    const back = await rawClient(port, 'ap-1', { clean: false });
    const received: string[] = [];
    back.on('message', (_topic, payload) => received.push(`${payload}`));
    await subscribe(back, command);
    await publish(controller, command, 'fresh');
    await until('a command arrives', () => received.length > 0);
    expect(received).toEqual(['fresh']);
  });

  test('what a client sends right behind its CONNECT waits for the answer, and is then obeyed', async () => {
    let letIn = () => {};
    const waiting = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    const { port } = await startBroker({
      authenticate: async (username, password) => {
        await waiting;
        return authenticate(username, password);
      },
    });
    const { socket, received } = await rawSocket(port);
    socket.write(Buffer.concat([connectPacket('ap-1', 'ap-1'), ...Array(500).fill(Buffer.from([0xc0, 0]))]));
    socket.write(Buffer.alloc(100_000, Buffer.from([0xc0, 0])));
    letIn();
    await until('every ping is answered', () => received().length === 4 + 2 * 50_500);
    expect([...received().subarray(0, 6)]).toEqual([CONNACK, 2, 0, 0, 0xd0, 0]);
  });
});

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

describe('a client that does not read', () => {
  test('holds up nobody else, and not the stop, even with many messages to it under way', async () => {
    const { broker, port } = await startBroker();
    const deaf = broker.open();
    const subscribePacket = Buffer.from([0x82, 17, 0, 1, 0, 12, ...Buffer.from('perfleet/1/#'), 1]);
    deaf.write(Buffer.concat([connectPacket('deaf', 'x'), subscribePacket]));
    const topic = Buffer.from('perfleet/1/device/ap-9/command');
    const packet = Buffer.concat([Buffer.from([0x30, 132, 1, 0, topic.length]), topic, Buffer.alloc(100)]);
    deaf.write(Buffer.concat(Array(450).fill(packet)));
    await until('its buffers are full', () => deaf.readableLength > 16_000);
    const device = await rawClient(port, 'ap-1');
    const received: string[] = [];
    device.on('message', (_topic, payload) => received.push(`${payload}`));
    await subscribe(device, statusTopic('ap-1'));
    await publish(device, statusTopic('ap-1'), 'alive');
    await until('the status comes back', () => received.length > 0);
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

describe('starting and stopping', () => {
  const make = (port: number, host = '127.0.0.1') =>
    new EmbeddedBroker({ host, port, tls: null, authenticate, log: new RecordedLog() });

  test('a port in use is an error that says what to do', async () => {
    const { port } = await startBroker();
    await expect(make(port).start()).rejects.toThrow(
      `the MQTT broker cannot listen on 127.0.0.1:${port}: the port is in use. Stop the other broker there, or change broker.listen`,
    );
  });

  test('an address that is not of this machine is an error that says so', async () => {
    await expect(make(0, '192.0.2.1').start()).rejects.toThrow('192.0.2.1:0: this machine has no such address');
  });

  test('a host that cannot be looked up is an error in the words of the system', async () => {
    await expect(make(0, 'no-such-host.invalid').start()).rejects.toThrow(/no-such-host\.invalid:0: getaddrinfo/);
  });

  test('starting twice is an error; stopping twice, or before the start, is not', async () => {
    const broker = make(0);
    await broker.stop();
    expect(broker.connected).toBe(0);
    expect(() => broker.open()).toThrow('the broker is not running: call start() first');
    await broker.start();
    await expect(broker.start()).rejects.toThrow('the broker was started already');
    await broker.stop();
    await broker.stop();
  });

  test('stopping ends clients, strangers and half-open handshakes, and leaves nothing open', async () => {
    const broker = make(0);
    const { port } = await broker.start();
    const client = await rawClient(port, 'ap-1');
    const clientClosed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    const stranger = await rawSocket(port);
    const inside = broker.open();
    await broker.stop();
    await Promise.all([clientClosed, stranger.closed]);
    expect(inside.destroyed).toBe(true);
    await nothingOpen();
  });

  test('a stopped broker may be started again, and has forgotten what was retained', async () => {
    const broker = make(0);
    const first = await broker.start();
    await publish(await rawClient(first.port, 'ap-1'), statusTopic('ap-1'), 'old', { retain: true });
    await broker.stop();
    const second = await broker.start();
    onTestFinished(() => broker.stop());
    const { controller, messages } = await startController(second.port);
    await publish(controller, controllerTopic(), 'new');
    await until('a message arrives', () => messages.length > 0);
    expect(messages).toEqual([`${controllerTopic()} new`]);
  });
});
