import tls from 'node:tls';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { EmbeddedBroker } from '../../broker/broker.ts';
import { eventTopic } from '../../broker/contract/topics.ts';
import { makeCertificate } from '../helpers/certificates.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';
import { until } from '../helpers/until.ts';
import { authenticate, connected, makeLink, rawSocket, startBroker } from './fixture.ts';

beforeEach(nothingOpen);
afterAll(nothingOpen);

const server = makeCertificate();
const client = makeCertificate();
const trust = { ca: server.cert, cert: null, key: null };

test('a link that trusts the certificate connects by address and by name, and publishes', async () => {
  const { port } = await startBroker({ tls: { ...server, ca: null } });
  for (const host of ['127.0.0.1', 'localhost']) {
    const { link } = makeLink(port, 'ap-1', { url: `mqtts://${host}:${port}`, tls: trust });
    await connected(link);
    await link.publish(eventTopic('ap-1'), { type: 'ready', run: 'r-1', boot: 'b1', nonce: 'n1' });
    await link.stop();
  }
});

test('a link that does not trust the certificate does not send its password', async () => {
  const { broker, port } = await startBroker({ tls: { ...server, ca: null } });
  const { link, log } = makeLink(port, 'ap-1', { url: `mqtts://127.0.0.1:${port}` });
  link.start();
  await until('it has failed', () => log.of('warn').length > 0);
  expect(log.of('warn')[0]?.fields).toMatchObject({ reason: 'self-signed certificate' });
  expect(broker.counters).toMatchObject({ connections_accepted: 0, connections_refused: 0 });
});

test('a wrong password is told over TLS too', async () => {
  const { port } = await startBroker({ tls: { ...server, ca: null } });
  const { link, log } = makeLink(port, 'ap-1', { url: `mqtts://127.0.0.1:${port}`, tls: trust, password: 'wrong' });
  link.start();
  await until('it has failed', () => log.of('warn').length > 0);
  expect(log.of('warn')[0]?.fields).toMatchObject({ reason: 'Connection refused: Bad username or password' });
});

test('with a ca, only clients with a certificate that it signed come in', async () => {
  const { broker, port } = await startBroker({ tls: { ...server, ca: client.cert } });
  const url = `mqtts://127.0.0.1:${port}`;
  const without = makeLink(port, 'ap-1', { url, tls: trust });
  without.link.start();
  await until('it has failed', () => without.log.of('warn').length > 0);
  await without.link.stop();
  expect(broker.counters.connections_accepted).toBe(0);
  const { link } = makeLink(port, 'ap-1', { url, tls: { ca: server.cert, ...client } });
  await connected(link);
});

test('TLS 1.1 is refused', async () => {
  const { port, log } = await startBroker({ tls: { ...server, ca: null } });
  const old = { ca: server.cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const socket = tls.connect({ host: '127.0.0.1', port, ...old });
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
  expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  await until('the broker has noted it', () =>
    log.of('debug').some(({ message }) => message === 'TLS handshake failed'),
  );
});

test('stopping ends a connection that has not finished its handshake', async () => {
  const { broker, port } = await startBroker({ tls: { ...server, ca: null } });
  const { closed } = await rawSocket(port);
  await broker.stop();
  await closed;
});

test('a certificate that cannot be used is an error that says what to do', async () => {
  const files = { cert: 'no PEM', key: server.key, ca: null };
  const broker = new EmbeddedBroker({ host: '127.0.0.1', port: 0, tls: files, authenticate, log: new RecordedLog() });
  await expect(broker.start()).rejects.toThrow(/^the MQTT broker cannot use its TLS files: .*\. Check broker\.tls$/);
});
