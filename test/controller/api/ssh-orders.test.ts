import { expect, it } from 'vitest';
import { servedApi } from './served-api.ts';

const asked = async (path: string, body: unknown, method = 'POST') => {
  const { call } = await servedApi();
  const answer = await call(path, { method, body: JSON.stringify(body) });
  return [answer.status, await answer.json()];
};

it.each([
  ['POST', '/api/1/devices/check', { devices: [{ device: 'a b' }] }, 'devices.0.device: '],
  ['POST', '/api/1/devices/import', { devices: 1 }, 'devices: '],
  ['POST', '/api/1/host-keys', { host: '-x' }, 'host: '],
  ['PUT', '/api/1/devices/ap-1/host-key', { host_key: 'ssh-ed25519 AAAA' }, 'host_key: expected a public host key'],
  ['PUT', '/api/1/devices/ap-1/ssh', { host: '192.0.2.1' }, 'host_key: '],
  ['POST', '/api/1/devices', { device: 'a', ssh: { host: 'a', user: 'r t', host_key: '' } }, 'ssh.user: '],
])('%s %s is told what is wrong with its body', async (method, path, body, begin) => {
  const problems = expect.arrayContaining([expect.stringContaining(begin)]);
  expect(await asked(path, body, method)).toEqual([400, expect.objectContaining({ error: 'bad-request', problems })]);
});

it('thousands of devices may be more than 64 KiB, everything else may not', async () => {
  const devices = Array.from({ length: 3000 }, (_, index) => ({ device: `ap-${index}-${'x'.repeat(40)}` }));
  expect(await asked('/api/1/devices/check', { devices })).toEqual([200, { problems: [] }]);
  expect(await asked('/api/1/devices', { devices })).toMatchObject([413, { error: 'too-large' }]);
});

it('a host key that nobody shows is unavailable', async () => {
  expect(await asked('/api/1/host-keys', { host: '192.0.2.1' })).toMatchObject([503, { error: 'unavailable' }]);
});
