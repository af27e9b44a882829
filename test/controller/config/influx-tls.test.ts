import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSettings } from '../../../controller/config/load-settings.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const load = (influx: object) => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'token'), 'secret', { mode: 0o600 });
  writeFileSync(join(folder, 'ca.pem'), makeCertificate().cert);
  return parseSettings(JSON.stringify({ http: { token_file: 'token' }, influx }), folder, {});
};
const V1 = { version: 1, url: 'https://influx.example.net', database: 'b' };

test('the authority comes from a file', () => {
  expect(load({ ...V1, tls: { ca_file: 'ca.pem' } })).toMatchObject({
    ok: true,
    settings: { influx: { tls: { ca: expect.stringContaining('BEGIN CERTIFICATE'), insecure: false } } },
  });
});

test('without tls there is nothing about it in the settings, nor with an empty one', () => {
  for (const influx of [V1, { ...V1, tls: {} }]) {
    const loaded = load(influx);
    expect(loaded.ok && Object.keys(loaded.settings.influx ?? {})).toEqual([
      'version',
      'url',
      'database',
      'username',
      'password',
    ]);
  }
});

test('insecure is taken with a warning', () => {
  const influx = {
    version: 2,
    url: V1.url,
    organization: 'o',
    bucket: 'b',
    token_file: 'token',
    tls: { insecure: true },
  };
  expect(load(influx)).toMatchObject({
    ...{ ok: true, settings: { influx: { tls: { ca: null, insecure: true } } } },
    warnings: ['influx.tls.insecure: anybody can pose as this InfluxDB and gets its credentials'],
  });
});

test('tls for plain HTTP, or both of its ways, are refused', () => {
  expect(load({ ...V1, url: 'http://127.0.0.1:1', tls: { insecure: false } })).toMatchObject({
    problems: [
      { path: 'influx.tls', found: 'TLS settings for plain HTTP', expected: 'tls only where influx.url is https://' },
    ],
  });
  expect(load({ ...V1, tls: { insecure: true, ca_file: 'ca.pem' } })).toMatchObject({
    problems: [{ path: 'influx.tls', found: 'both ca_file and insecure: true', expected: 'one of them' }],
  });
});
