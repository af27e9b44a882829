import { expect, test } from 'vitest';
import { parseSettings } from '../../../controller/config/load-settings.ts';
import type { ReceiverSettings } from '../../../controller/config/settings.ts';
import { SECRET, secretFolder } from './secrets.ts';

/** What one receiver of a file with an external broker is read as. */
const receiver = (yaml: string): ReceiverSettings | undefined => {
  const text = `http: { token_file: http-token }
broker: { url: "mqtt://127.0.0.1:1" }
receivers: { noc: { ${yaml} } }`;
  const outcome = parseSettings(text, secretFolder(), {});
  return outcome.ok ? outcome.settings.receivers.get('noc') : expect.fail(JSON.stringify(outcome.problems));
};

const PEM = expect.stringContaining('-----BEGIN');

test('a webhook has a URL, and may have a secret and an authority', () => {
  const url = 'https://noc.example.net/hook?to=noc';
  expect(receiver(`webhook: "${url}"`)).toEqual({ kind: 'webhook', url, secret: null, ca: null });
  expect(receiver(`webhook: "${url}", secret_file: hook-secret, ca_file: ca.pem`)).toEqual({
    kind: 'webhook',
    url,
    secret: SECRET,
    ca: PEM,
  });
});

test('an email goes through the mail server of this machine unless told otherwise', () => {
  expect(receiver('email: [noc@example.net, o.boss+perf@mail.example.net], from: perfleet@example.net')).toEqual({
    kind: 'email',
    to: ['noc@example.net', 'o.boss+perf@mail.example.net'],
    from: 'perfleet@example.net',
    host: '127.0.0.1',
    port: 25,
    security: 'none',
    login: null,
    ca: null,
  });
  const login = 'username: perfleet, password_file: password, ca_file: ca.pem';
  expect(receiver(`email: [a@b.it], from: c@d.it, smtp: "smtps://mail.example.net", ${login}`)).toMatchObject({
    host: 'mail.example.net',
    port: 465,
    security: 'tls',
    login: { username: 'perfleet', password: SECRET },
    ca: PEM,
  });
});

test.each([
  ['smtp: "smtp://mail.example.net:587"', { port: 587, security: 'starttls' }],
  ['smtp: "smtp://mail.example.net", tls: true', { port: 25, security: 'starttls' }],
  ['smtp: "smtp://mail.example.net", tls: false', { port: 25, security: 'none' }],
  ['smtp: "smtp://[::1]:2525"', { host: '::1', port: 2525, security: 'none' }],
  ['smtp: "smtp://localhost", tls: true', { security: 'starttls' }],
  ['smtp: "smtps://localhost", tls: true', { security: 'tls' }],
])('mail with %s', (yaml, expected) => {
  expect(receiver(`email: [a@b.it], from: c@d.it, ${yaml}`)).toMatchObject(expected);
});

test('an Alertmanager may ask for a user and a password, or a token', () => {
  const open = { kind: 'alertmanager', url: 'http://127.0.0.1:9093', login: null, token: null };
  const url = 'alertmanager: "http://127.0.0.1:9093"';
  expect(receiver(url)).toEqual({ ...open, ca: null });
  expect(receiver(`${url}, username: perfleet, password_file: password`)).toMatchObject({
    login: { username: 'perfleet', password: SECRET },
  });
  expect(receiver(`${url}, token_file: password, ca_file: ca.pem`)).toMatchObject({ token: SECRET, ca: PEM });
});

test('a topic of an external broker', () => {
  expect(receiver('mqtt: alerts/perfleet')).toEqual({ kind: 'mqtt', topic: 'alerts/perfleet' });
  expect(receiver('mqtt: perfleets/alerts')).toEqual({ kind: 'mqtt', topic: 'perfleets/alerts' });
});
