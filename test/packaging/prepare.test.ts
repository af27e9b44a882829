import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { debianPlan, FOR_DEMO, FOR_TESTS, isOnPath, servicesOf } from '../../packaging/dev/debian-packages.mjs';
import { isNpmInstalled, npmCommand } from '../../packaging/dev/npm-packages.mjs';
import { nodeRefusal } from '../../packaging/dev/prepare.mjs';
import { root } from '../../packaging/root.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perfleet-prepare-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A machine with these programs only. */
const machine = (isRoot: boolean, ...programs: string[]) => ({
  isRoot,
  has: (name: string) => programs.includes(name),
});

describe('Debian packages', () => {
  test('nothing is done when every program is there, whoever we are', () => {
    for (const isRoot of [true, false]) {
      expect(debianPlan(FOR_DEMO, machine(isRoot, 'bash', 'flock', 'iperf3'))).toEqual({ action: 'nothing' });
    }
  });

  test('root installs what is missing and nothing else', () => {
    expect(debianPlan(FOR_DEMO, machine(true, 'apt-get', 'bash', 'flock'))).toEqual({
      action: 'install',
      packages: ['iperf3'],
    });
  });

  test('a package is missing when one of its programs is', () => {
    expect(debianPlan(['iproute2'], machine(true, 'apt-get', 'ip'))).toEqual({
      action: 'install',
      packages: ['iproute2'],
    });
  });

  test('anyone else is told the one command to run', () => {
    expect(debianPlan(['iperf3', 'mosquitto-clients', 'bash'], machine(false, 'apt-get', 'bash'))).toEqual({
      action: 'refuse',
      reason:
        'some programs are missing. Please run this, then try again:\n\n' +
        '  sudo apt-get install -y --no-install-recommends iperf3 mosquitto-clients\n',
    });
  });

  test('on a system without apt-get the programs are named, even to root', () => {
    expect(debianPlan(['iperf3', 'iproute2'], machine(true, 'ip'))).toEqual({
      action: 'refuse',
      reason: 'please install these programs, this system has no apt-get: iperf3, tc',
    });
  });

  test('a package that is not in the table is a mistake of ours', () => {
    expect(() => debianPlan(['nginx'], machine(true))).toThrow('nginx is not in the table of packages');
  });

  test('the demo needs no more than the tests do', () => {
    expect(FOR_TESTS).toEqual(expect.arrayContaining(FOR_DEMO));
  });

  test('the services that come along are known, to be kept from starting', () => {
    expect(servicesOf(['bash', 'mosquitto', 'influxdb'])).toEqual(['mosquitto', 'influxdb']);
  });

  test('a program counts when it is executable and in one of the folders', () => {
    writeFileSync(join(folder, 'iperf3'), '');
    const path = `/nowhere:${folder}`;
    expect(isOnPath('iperf3', path)).toBe(false);
    chmodSync(join(folder, 'iperf3'), 0o755);
    expect(isOnPath('iperf3', path)).toBe(true);
    expect(isOnPath('iperf3', '/nowhere')).toBe(false);
  });
});

describe('npm packages', () => {
  test('node_modules counts as installed when its stamp matches package-lock.json', () => {
    writeFileSync(join(folder, 'package-lock.json'), 'first');
    expect(isNpmInstalled(folder)).toBe(false);
    mkdirSync(join(folder, 'node_modules'));
    expect(isNpmInstalled(folder)).toBe(false);
    const sha256 = execFileSync('sha256sum', [join(folder, 'package-lock.json')], { encoding: 'utf8' }).slice(0, 64);
    writeFileSync(join(folder, 'node_modules/.perfleet-installed-from'), sha256);
    expect(isNpmInstalled(folder)).toBe(true);
    writeFileSync(join(folder, 'package-lock.json'), 'second');
    expect(isNpmInstalled(folder)).toBe(false);
  });

  test('the npm that started us is the one that installs', () => {
    expect(npmCommand({ npm_execpath: '/usr/lib/npm/bin/npm-cli.js' })).toEqual([
      process.execPath,
      '/usr/lib/npm/bin/npm-cli.js',
    ]);
    expect(npmCommand({ npm_execpath: '/usr/lib/yarn.js' })).toEqual(['npm']);
    expect(npmCommand({})).toEqual(['npm']);
  });
});

describe('Node.js', () => {
  test.each(['20.0.0', '22.11.0', '100.0.0'])('%s will do', (version) => {
    expect(nodeRefusal(version)).toBeNull();
  });

  test('18 is refused with what is needed and where to get it', () => {
    expect(nodeRefusal('18.20.4')).toMatch(/^Node\.js 20 or newer is needed, this is 18\.20\.4 .*nodejs\.org/);
  });
});

test('an unknown command prints the usage to stderr and fails', () => {
  const run = () => execFileSync(process.execPath, [join(root, 'packaging/dev/run.mjs'), 'tset'], { stdio: 'pipe' });
  expect(run).toThrow('usage: node packaging/dev/run.mjs build|check|demo|test|bench|conformance|simulate|fuzz');
});
