import './ucode.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig as readForNode } from '../../../../agent/hosts/node/config.ts';
import { readConfig } from '../../../../agent/hosts/openwrt/config.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

/** Reads a configuration; `files` lie beside it. */
const read = (config: unknown, files: Record<string, string> = {}) => {
  const folder = tempFolder();
  const path = join(folder, 'agent.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const problems: string[] = [];
  return { folder, path, problems, config: readConfig(path, problems) };
};

const MINIMAL = { device: 'ap-12', broker: 'mqtt://broker.example' };

it('what is not said has a default', () => {
  const { config, problems } = read(MINIMAL);
  expect(problems).toEqual([]);
  expect(config).toEqual({
    device: 'ap-12',
    host: 'broker.example',
    port: '1883',
    username: 'ap-12',
    password: null,
    tls: false,
    ca: null,
    cert: null,
    key: null,
    limits: { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null },
    wan_interface: null,
    nice: 5,
    state: '/tmp/perfleet-ap-12',
  });
});

it('all that can be said is understood; files are looked for beside the configuration', () => {
  const { config, problems, folder } = read(
    {
      device: 'ap-12',
      broker: 'mqtts://[2001:db8::1]:8884/',
      username: 'ap',
      password_file: 'secret',
      tls: { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' },
      limits: { max_duration: '2m', max_streams: 4, max_bitrate: '1.5M', servers: ['a.example', 'b.example:5202'] },
      wan_interface: 'pppoe-wan',
      nice: 0,
      state: '/var/run/perfleet',
    },
    { secret: 'geheim\r\n', 'ca.pem': '', 'cert.pem': '', 'key.pem': '' },
  );
  expect(problems).toEqual([]);
  expect(config).toEqual({
    device: 'ap-12',
    host: '2001:db8::1',
    port: '8884',
    username: 'ap',
    password: 'geheim',
    tls: true,
    ca: join(folder, 'ca.pem'),
    cert: join(folder, 'cert.pem'),
    key: join(folder, 'key.pem'),
    limits: { max_duration_s: 120, max_streams: 4, max_bitrate: 1_500_000, servers: ['a.example', 'b.example:5202'] },
    wan_interface: 'pppoe-wan',
    nice: 0,
    state: '/var/run/perfleet',
  });
});

it('TLS without a file uses the certificate authorities of the system', () => {
  expect(read({ ...MINIMAL, broker: 'mqtts://b' }).config).toMatchObject({
    host: 'b',
    port: '8883',
    ca: '/etc/ssl/certs/ca-certificates.crt',
    cert: null,
  });
});

it('a password may stand in the file itself', () => {
  expect(read({ ...MINIMAL, password: "it's" }).config.password).toBe("it's");
});

const broken: [string, unknown, string[]][] = [
  ['nothing', '', ['expected a JSON object']],
  ['a list', [], ['expected a JSON object']],
  ['no device', { broker: 'mqtt://b' }, ['device: expected 1 to 64 letters, digits, "_" or "-", found nothing']],
  ['no text', { ...MINIMAL, username: 5 }, ['username: expected text, found 5']],
  [
    'another scheme',
    { device: 'd', broker: 'http://b' },
    ['broker: expected a URL, mqtt://host:port or mqtts://host:port'],
  ],
  ['an unknown key', { ...MINIMAL, brocker: 1 }, ['brocker: unknown key, expected one of device, broker,']],
  ['a typo in the limits', { ...MINIMAL, limits: { servers: [''] } }, ['limits.servers: expected a list of "host"']],
  ['no section', { ...MINIMAL, tls: 'yes' }, ['tls.: expected keys and values']],
  ['no number', { ...MINIMAL, limits: { max_streams: '4k' } }, ['limits.max_streams: expected a number, found "4k"']],
  ['zero', { ...MINIMAL, limits: { max_bitrate: '0M' } }, ['limits.max_bitrate: expected a rate like 20M, found "0M"']],
  ['words', { ...MINIMAL, limits: { max_duration: 'long' } }, ['limits.max_duration: expected a duration like 60s']],
  ['no file', { ...MINIMAL, password_file: 'gone' }, ['password_file: cannot read gone']],
  ['both', { ...MINIMAL, password: 'a', password_file: 'gone' }, ['password_file: expected either this or password']],
  ['no certificate', { ...MINIMAL, tls: { ca: '/gone.pem' } }, ['tls.ca: cannot read /gone.pem']],
  ['a bad interface', { ...MINIMAL, wan_interface: '../wan' }, ['wan_interface: expected the name of a network']],
  ['not nice', { ...MINIMAL, nice: -1 }, ['nice: expected a whole number from 0 to 19, found -1']],
  ['all at once', { nice: 'x' }, ['device: expected', 'broker: expected', 'nice: expected']],
];
it.each(broken)('is refused with what is wrong: %s', (_, config, expected) => {
  const { problems } = read(config);
  for (const problem of expected) expect(problems).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
});

it('a file that is not there is refused', () => {
  const problems: string[] = [];
  readConfig('/nowhere/agent.json', problems);
  expect(problems[0]).toBe('it cannot be read');
});

it('a password of two lines is refused', () => {
  expect(read({ ...MINIMAL, password_file: 'two' }, { two: 'a\nb\n' }).problems).toEqual([
    'password: expected one line',
  ]);
});

it('the same file means the same to the agent on Node.js', () => {
  const limits = { max_duration: '60s', max_streams: 2, max_bitrate: '20M', servers: ['a.example'] };
  const source = { ...MINIMAL, broker: 'mqtt://b:1884', username: 'u', password: 'p', limits, wan_interface: 'wan' };
  const { config, path } = read({ ...source, state: '/tmp/state' });
  const other = readForNode(path);
  expect(other).toMatchObject({ device: config.device, broker: 'mqtt://b:1884', limits: config.limits });
  expect([other.username, other.password, other.wan_interface, other.state]).toEqual([
    config.username,
    config.password,
    config.wan_interface,
    config.state,
  ]);
});
