import { expect, test } from 'vitest';
import { dialer } from '../../broker/dial.ts';

const noFiles = { ca: null, cert: null, key: null };

test.each([
  ['broker.example.net', 'the broker URL cannot be read: write mqtt://host:port or mqtts://host:port'],
  ['mqtt://host:70000', 'the broker URL cannot be read: write mqtt://host:port or mqtts://host:port'],
  ['mqtt://', 'the broker URL names no host: write mqtt://host:port or mqtts://host:port'],
  ['ws://host:8080', 'the broker URL starts with ws://: write mqtt:// or mqtts://'],
  ['mqtt://ap-1:secret@host', 'the broker URL holds a user name or password: use username and password_file instead'],
  ['mqtt://:secret@host', 'the broker URL holds a user name or password: use username and password_file instead'],
])('%s is refused with what to do', (url, message) => {
  expect(() => dialer(url, null)).toThrow(message);
});

test('TLS files beside a URL without TLS are refused: they would protect nothing', () => {
  expect(() => dialer('mqtt://host', { ...noFiles, ca: 'PEM' })).toThrow(
    'tls is set, but the broker URL is mqtt://: write mqtts://',
  );
});

test('a file that is not PEM is refused', () => {
  expect(() => dialer('mqtts://host', { ...noFiles, cert: 'no PEM', key: 'no PEM' })).toThrow(
    /^the TLS files for the broker cannot be used: .*\. Check tls: ca, cert, key$/,
  );
});

test.each(['mqtt://host', 'mqtts://host', 'mqtts://[::1]:8883', 'mqtt://192.0.2.1:1'])(
  '%s is good, and nothing is connected yet',
  (url) => {
    expect(dialer(url, noFiles)).toBeTypeOf('function');
    expect(dialer(url, null)).toBeTypeOf('function');
  },
);

test.each([
  ['mqtt://127.0.0.1', '127.0.0.1', 1883],
  ['mqtts://127.0.0.1', '127.0.0.1', 8883],
  ['mqtt://[::1]:9', '::1', 9],
])('%s means address %s and port %i', async (url, address, port) => {
  const socket = dialer(url, null)();
  socket.on('error', () => {});
  const attempt = await new Promise((resolve) =>
    socket.once('connectionAttempt', (...args) => resolve(args.slice(0, 2))),
  );
  socket.destroy();
  expect(attempt).toEqual([address, port]);
});
