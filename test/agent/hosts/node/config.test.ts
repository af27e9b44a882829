import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, parseConfig, readConfig } from '../../../../agent/hosts/node/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'perfleet-config-'));
const file = join(folder, 'agent.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

const problems = (text: string): string[] => {
  try {
    parseConfig(text, file);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
  }
  return [];
};

describe("the agent's configuration", () => {
  it('needs a device and a broker, the rest has defaults', () => {
    expect(parseConfig('device: ap-12\nbroker: mqtt://b', file)).toEqual({
      device: 'ap-12',
      broker: 'mqtt://b',
      username: 'ap-12',
      password: null,
      tls: null,
      limits: { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null },
      wan_interface: null,
      nice: 5,
      state: '/tmp/perfleet-ap-12',
    });
  });

  it('reads everything, from JSON too, with files beside it', () => {
    writeFileSync(join(folder, 'password'), 'secret\n');
    writeFileSync(join(folder, 'ca.pem'), 'CA');
    const limits = { max_duration: '1.5m', max_streams: 4, max_bitrate: '1.5G', servers: ['a', 'b:5201'] };
    const text = {
      device: 'd',
      broker: 'mqtts://b:1',
      username: 'u',
      password_file: 'password',
      tls: { ca: 'ca.pem' },
      limits,
    };
    writeFileSync(file, JSON.stringify({ ...text, wan_interface: 'eth0.2', nice: 0, state: '/tmp/x' }));
    expect(readConfig(file)).toMatchObject({
      username: 'u',
      password: 'secret',
      tls: { ca: 'CA', cert: null, key: null },
      limits: { max_duration_s: 90, max_streams: 4, max_bitrate: 1_500_000_000, servers: ['a', 'b:5201'] },
      wan_interface: 'eth0.2',
      nice: 0,
      state: '/tmp/x',
    });
    expect(parseConfig('device: d\nbroker: mqtt://b\npassword: p\nlimits: {max_duration: 60}', file)).toMatchObject({
      password: 'p',
      limits: { max_duration_s: 60 },
    });
  });

  it('reports all that is wrong at once', () => {
    const text = `
device: a b
broker: http://b
colour: red
username: 5
password: p
password_file: ca2.pem
tls: [x]
limits: { max_duration: 5d, max_streams: 0, max_bitrate: fast, servers: a, more: 1 }
wan_interface: "-x y"
nice: 20
`;
    writeFileSync(join(folder, 'ca2.pem'), 'x');
    expect(problems(text)).toEqual([
      'colour: unknown key, expected one of device, broker, username, password, password_file, tls, limits, wan_interface, nice, state',
      'device: expected 1 to 64 letters, digits, "_" or "-", found "a b"',
      'broker: expected a URL, mqtt://host:port or mqtts://host:port, found "http://b"',
      'tls: expected keys and values, found ["x"]',
      'password_file: expected either this or password',
      'username: expected text, found 5',
      'limits.more: unknown key, expected one of max_duration, max_streams, max_bitrate, servers',
      'limits.servers: expected a list of "host" or "host:port", found "a"',
      'limits.max_duration: expected a duration like 60s, found "5d"',
      'limits.max_streams: expected a number, found 0',
      'limits.max_bitrate: expected a rate like 20M, found "fast"',
      'wan_interface: expected the name of a network interface, found "-x y"',
      'nice: expected a whole number from 0 to 19, found 20',
    ]);
  });

  it.each([
    ['', 'file: expected device and broker, found nothing'],
    ['[1]', 'file: expected keys and values, found [1]'],
    ['a: [', /./],
    ['device: d\nbroker: mqtt://b\npassword_file: none', /^password_file: cannot read none: ENOENT/],
    ['device: d\nbroker: mqtt://b\nlimits: {servers: [1]}', /^limits.servers: expected a list/],
    ['device: d\nbroker: mqtt://b\nnice: -1', /^nice: expected a whole number from 0 to 19, found -1/],
    ['device: d\nbroker: mqtt://b\nnice: 1.5', /^nice: expected a whole number/],
    ['device: d\nbroker: mqtt://b\nnice: "5"', /^nice: expected a whole number/],
  ])('refuses %j', (text, problem) => {
    expect(problems(text)[0]).toMatch(problem);
  });

  it('names the file in its error', () => {
    expect(() => readConfig('/nonexistent/agent.json')).toThrow(
      /^\/nonexistent\/agent.json cannot be used:\n {2}ENOENT/,
    );
  });
});
