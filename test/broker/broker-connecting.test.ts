import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { eventTopic, statusTopic } from '../../broker/contract/topics.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { until } from '../helpers/until.ts';
import {
  authenticate,
  connectPacket,
  publish,
  rawClient,
  rawSocket,
  startBroker,
  startController,
  subscribe,
} from './fixture.ts';

beforeEach(nothingOpen);
afterAll(nothingOpen);

const CONNACK = 0x20;

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
