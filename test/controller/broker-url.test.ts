import { expect, it } from 'vitest';
import { brokerUrl } from '../../controller/broker-url.ts';

const tls = { cert: 'c', key: 'k', ca: null };
const none = { ca: null, cert: null, key: null };

it.each([
  [{ kind: 'embedded', host: '192.0.2.1', port: 0, tls: null }, 'mqtt://192.0.2.1:1883'],
  [{ kind: 'embedded', host: '2001:db8::1', port: 0, tls }, 'mqtts://[2001:db8::1]:1883'],
  [{ kind: 'embedded', host: '0.0.0.0', port: 0, tls: null }, 'mqtt://CONTROLLER-ADDRESS:1883'],
  [{ kind: 'embedded', host: '::', port: 0, tls: null }, 'mqtt://CONTROLLER-ADDRESS:1883'],
  [
    { kind: 'external', url: 'mqtts://broker.example.net', username: null, password: null, tls: none },
    'mqtts://broker.example.net',
  ],
] as const)('agents reach the broker %j at %s', (broker, url) => {
  expect(brokerUrl(broker, 1883)).toBe(url);
});
