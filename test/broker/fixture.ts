import net from 'node:net';
import mqtt, { type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt';
import { expect, onTestFinished } from 'vitest';
import type { Principal } from '../../broker/access.ts';
import { type BrokerOptions, EmbeddedBroker } from '../../broker/broker.ts';
import { type LinkOptions, MqttLink } from '../../broker/client.ts';
import { systemClock } from '../../broker/clock.ts';
import type { AgentStatus } from '../../broker/contract/messages.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';

/** Everybody's password is the name, a dash and "secret". */
export const authenticate = (username: string, password: Buffer): Principal | null => {
  if (password.toString() !== `${username}-secret`) return null;
  return username === 'perfleet-controller' ? { kind: 'controller' } : { kind: 'device', device: username };
};

/** A broker on a free port of loopback; stopped when the test is over. */
export const startBroker = async (options: Partial<BrokerOptions> = {}) => {
  const log = new RecordedLog();
  const broker = new EmbeddedBroker({ host: '127.0.0.1', port: 0, tls: null, authenticate, log, ...options });
  const { port } = await broker.start();
  onTestFinished(() => broker.stop());
  return { broker, port, log };
};

/** A link of `username`, not started; stopped when the test is over. */
export const makeLink = (port: number, username: string, options: Partial<LinkOptions> = {}) => {
  const log = new RecordedLog();
  const link = new MqttLink({
    url: `mqtt://127.0.0.1:${port}`,
    clientId: username,
    username,
    password: `${username}-secret`,
    tls: null,
    clock: systemClock,
    random: () => 0.5,
    log,
    reconnect: { min_ms: 5, max_ms: 20 },
    ...options,
  });
  const messages: { topic: string; payload: unknown; retained: boolean }[] = [];
  link.onMessage((topic, payload, retained) => {
    messages.push({ topic, payload: JSON.parse(Buffer.from(payload).toString()), retained });
  });
  onTestFinished(() => link.stop());
  return { link, log, messages };
};

/** Starts a link and waits until it is connected. */
export const connected = async (link: MqttLink): Promise<void> => {
  const done = new Promise<void>((resolve) => link.onConnect(resolve));
  link.start();
  await done;
};

/** MQTT.js as it is, for what the link does not do; fails instead of connecting again. */
export const rawClient = async (port: number, username: string, options: IClientOptions = {}): Promise<MqttClient> => {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId: username,
    username,
    password: `${username}-secret`,
    reconnectPeriod: 0,
    ...options,
  });
  onTestFinished(() => client.endAsync(true));
  await new Promise<void>((resolve, reject) => client.once('connect', () => resolve()).once('error', reject));
  return client;
};

/** A bare TCP connection: what came in so far, and a promise of its end. */
export const rawSocket = async (port: number) => {
  const socket = net.connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  const closed = new Promise<void>((resolve) => socket.on('error', () => {}).on('close', () => resolve()));
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, closed, received: () => Buffer.concat(received) };
};

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

/** The bytes of a CONNECT (MQTT 3.1.1) with user name and password, without a will. */
export const connectPacket = (clientId: string, username: string, password = `${username}-secret`): Buffer => {
  const body = Buffer.concat([
    text('MQTT'),
    Buffer.from([4, 0xc2, 0, 0]),
    text(clientId),
    text(username),
    text(password),
  ]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
};

/** An agent's status that says `boot`. */
export const statusOf = (boot: string, online = true): AgentStatus => ({
  online,
  boot,
  agent: '1.0.0',
  host: 'node',
  iperf3: '3.12',
  capabilities: [],
  pending: 0,
});

/** Publishes with QoS 1 and waits for the PUBACK. */
export const publish = (
  client: MqttClient,
  topic: string,
  payload: string | Buffer,
  options: IClientPublishOptions = {},
) => client.publishAsync(topic, payload, { qos: 1, ...options });

/** What the broker granted for each filter. */
export const subscribe = (client: MqttClient, ...filters: string[]): Promise<number[]> =>
  new Promise((resolve) =>
    client.subscribe(filters, { qos: 1 }, (_error, _grants, packet) => resolve(packet?.granted as number[])),
  );

/** The controller, reading everything; its messages come as "topic payload". */
export const startController = async (port: number) => {
  const controller = await rawClient(port, 'perfleet-controller');
  const messages: string[] = [];
  controller.on('message', (topic, payload) => messages.push(`${topic} ${payload}`));
  expect(await subscribe(controller, 'perfleet/1/#')).toEqual([1]);
  return { controller, messages };
};
