import net from 'node:net';
import { afterAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { EmbeddedBroker } from '../../broker/broker.ts';
import { controllerTopic, statusTopic } from '../../broker/contract/topics.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';
import { until } from '../helpers/until.ts';
import { authenticate, publish, rawClient, rawSocket, startBroker, startController } from './fixture.ts';

beforeEach(nothingOpen);
afterAll(nothingOpen);

test('a user who is removed loses all connections at once, other users none', async () => {
  const { broker, port } = await startBroker();
  const clients = await Promise.all(['ap-1', 'ap-1-spare'].map((clientId) => rawClient(port, 'ap-1', { clientId })));
  const ends = clients.map((client) => new Promise<void>((resolve) => client.once('close', () => resolve())));
  const other = await rawClient(port, 'ap-2');
  broker.disconnect('nobody');
  broker.disconnect('ap-1');
  await Promise.all(ends);
  expect([broker.connected, other.connected]).toEqual([1, true]);
});

test('trouble of the listener is logged, and the broker goes on', async () => {
  const create = vi.spyOn(net, 'createServer');
  const { port, log } = await startBroker();
  const [made] = create.mock.results;
  create.mockRestore();
  if (made?.type !== 'return') expect.fail('no server was made');
  made.value.emit('error', new Error('accept EMFILE'));
  expect(log.of('error')).toMatchObject([
    { fields: { error: { message: 'accept EMFILE' } }, message: 'the MQTT listener has a problem' },
  ]);
  expect((await rawClient(port, 'ap-1')).connected).toBe(true);
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
