import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findProgram } from '../../controller/demo/find-program.ts';
import { packOpenwrt } from '../../packaging/build/openwrt-packages.mjs';
import { tarOf } from '../../packaging/build/tar.mjs';
import { tempFolder } from '../helpers/temp-folder.ts';
import { type Built, build, buildAndUnpack, fileOf, filesIn, listing, NAMES, version } from './openwrt/built.ts';

const BUSYBOX = findProgram('busybox', process.env) ?? 'busybox';

let built: Built;
beforeAll(() => {
  built = buildAndUnpack();
});
afterAll(() => built.remove());

const COMMON = [
  ...['755 etc', '755 etc/config', '600 etc/config/perfleet', '755 etc/hotplug.d', '755 etc/hotplug.d/ntp'],
  ...['644 etc/hotplug.d/ntp/90-perfleet', '755 etc/init.d', '755 etc/init.d/perfleet-agent', '700 etc/perfleet'],
  ...['755 etc/uci-defaults', '644 etc/uci-defaults/90-perfleet'],
  ...['755 lib', '755 lib/upgrade', '755 lib/upgrade/keep.d', '644 lib/upgrade/keep.d/perfleet'],
  ...['755 usr', '755 usr/lib', '755 usr/lib/perfleet', '755 usr/sbin', '755 usr/sbin/perfleet-agent'],
];

describe.each(NAMES)('%s', (name) => {
  it('is what opkg takes, by the tools of a router', () => {
    const list = (archive: string): string[] =>
      execFileSync(BUSYBOX, ['tar', '-tzf', archive], { encoding: 'utf8' }).trim().split('\n');
    expect(list(join(built.dist, fileOf(name)))).toEqual(['./debian-binary', './data.tar.gz', './control.tar.gz']);
    expect(readFileSync(built.inside(name, 'debian-binary'), 'utf8')).toBe('2.0\n');
    expect(list(built.inside(name, 'control.tar.gz'))).toEqual([
      './',
      './conffiles',
      './control',
      './postinst',
      './prerm',
    ]);
    expect(list(built.inside(name, 'data.tar.gz')).slice(0, 4)).toEqual([
      './',
      './etc/',
      './etc/config/',
      './etc/config/perfleet',
    ]);
  });

  it('has nothing of the machine that built it: owner, time', () => {
    for (const part of ['data.tar.gz', 'control.tar.gz', `../../${fileOf(name)}`]) {
      const archive = part.startsWith('..') ? join(built.dist, fileOf(name)) : built.inside(name, part);
      const lines = execFileSync('tar', ['-tzvf', archive, '--numeric-owner'], {
        encoding: 'utf8',
        env: { TZ: 'UTC', PATH: process.env['PATH'] },
      });
      for (const line of lines.trim().split('\n')) expect(line).toMatch(/^\S+ 0\/0 +\d+ 1970-01-01 00:00 \.\//);
      // The header of gzip: no time, no name.
      expect(readFileSync(archive).subarray(0, 10).toString('hex')).toMatch(/^1f8b080000000000/);
    }
  });

  it('installs its files with the modes that they need', () => {
    const program =
      name === 'perfleet-agent' ? '644 usr/lib/perfleet/perfleet-agent.uc' : '644 usr/lib/perfleet/agent.mjs';
    const expected = [...COMMON, program].toSorted((a, b) => a.slice(4).localeCompare(b.slice(4)));
    expect(listing(built.inside(name, 'data')).toSorted((a, b) => a.slice(4).localeCompare(b.slice(4)))).toEqual(
      expected,
    );
  });

  it('leaves the configuration to its owner, and is kept over sysupgrade', () => {
    expect(readFileSync(built.inside(name, 'control/conffiles'), 'utf8')).toBe('/etc/config/perfleet\n');
    expect(readFileSync(built.inside(name, 'data/lib/upgrade/keep.d/perfleet'), 'utf8')).toBe('/etc/perfleet/\n');
  });

  it('says what it is', () => {
    const size = Number(
      execFileSync('sh', ['-c', 'gzip -dc "$1" | wc -c', 'sh', built.inside(name, 'data.tar.gz')], {
        encoding: 'utf8',
      }),
    );
    expect(built.controlOf(name)).toMatchObject({
      ...{ Package: name, Version: `${version}-r1`, License: 'MIT', Section: 'net', Architecture: 'all' },
      ...{
        'Require-User': 'perfleet:perfleet',
        'Installed-Size': `${size}`,
        Description: expect.stringContaining('iperf3'),
      },
    });
  });

  it('has scripts that BusyBox reads', () => {
    for (const folder of ['control', 'data'].map((part) => built.inside(name, part)))
      for (const path of filesIn(folder).filter((file) =>
        readFileSync(join(folder, file), 'utf8').startsWith('#!/bin/sh'),
      ))
        expect([path, spawnSync(BUSYBOX, ['ash', '-n', join(folder, path)], { encoding: 'utf8' }).stderr]).toEqual([
          path,
          '',
        ]);
  });

  it('does at its installation and removal what every package of OpenWrt does', () => {
    for (const script of ['postinst', 'prerm']) {
      const target = tempFolder();
      mkdirSync(join(target, 'lib'));
      const path = built.inside(name, 'control', script);
      const run = (env: Record<string, string>) =>
        spawnSync(BUSYBOX, ['ash', path, 'configure'], {
          encoding: 'utf8',
          env: { PATH: process.env['PATH'], IPKG_INSTROOT: target, ...env },
        });
      expect(run({})).toMatchObject({ status: 0, stdout: '' });
      writeFileSync(join(target, 'lib/functions.sh'), `default_${script}() { echo "${script}: $*"; }\n`);
      expect(run({})).toMatchObject({ status: 0, stdout: `${script}: ${path} configure\n` });
      expect(run({ IPKG_NO_SCRIPT: '1' })).toMatchObject({ status: 0, stdout: '' });
    }
  });
});

it('the packages need what they run on, and any iperf3', () => {
  expect(NAMES.map((name) => built.controlOf(name)['Depends'])).toEqual([
    'ucode, ucode-mod-fs, ucode-mod-uloop, mosquitto-client, iperf3 | iperf3-ssl',
    'node, iperf3 | iperf3-ssl',
  ]);
});

it('the packages have one configuration and one service, so only one of them can be there', () => {
  expect(NAMES.map((name) => built.controlOf(name)['Conflicts'])).toEqual([undefined, 'perfleet-agent']);
});

it('the package for every router is at most 30 KB', () => {
  expect(statSync(join(built.dist, fileOf('perfleet-agent'))).size).toBeLessThanOrEqual(30_000);
});

it('the launcher of the package for Node.js hands on what it is called with', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'node'), '#!/bin/sh\nprintf "%s|" "$@"\n', { mode: 0o755 });
  const launcher = built.inside('perfleet-agent-node', 'data/usr/sbin/perfleet-agent');
  const output = execFileSync(BUSYBOX, ['ash', launcher, '--config', 'a file'], {
    env: { PATH: folder },
    encoding: 'utf8',
  });
  expect(output).toBe('/usr/lib/perfleet/agent.mjs|--config|a file|');
  // Its name makes it a module for every Node.js.
  expect(
    execFileSync(
      process.execPath,
      [built.inside('perfleet-agent-node', 'data/usr/lib/perfleet/agent.mjs'), '--version'],
      {
        encoding: 'utf8',
      },
    ),
  ).toBe(`${version}\n`);
});

describe('a build', () => {
  it('makes the same bytes in any folder at any time', () => {
    const bytesIn = (folder: string) =>
      NAMES.map((name) => readFileSync(join(folder, fileOf(name))).toString('base64'));
    const folder = tempFolder();
    vi.useFakeTimers({ now: new Date('2031-02-03T04:05:06Z') });
    try {
      build(folder);
      for (const name of readdirSync(folder)) {
        utimesSync(join(folder, name), 1e9, 1e9);
        chmodSync(join(folder, name), 0o600);
      }
      packOpenwrt(folder);
      expect(bytesIn(folder)).toEqual(bytesIn(built.dist));
    } finally {
      vi.useRealTimers();
    }
  });

  it('takes the time of SOURCE_DATE_EPOCH, and removes packages of other versions', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'perfleet-agent_0.0.1-r1_all.ipk'), '');
    vi.stubEnv('SOURCE_DATE_EPOCH', '1767323045');
    try {
      build(folder);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(
      readdirSync(folder)
        .filter((name) => name.endsWith('.ipk'))
        .toSorted(),
    ).toEqual(NAMES.map(fileOf).toSorted());
    const lines = execFileSync('tar', ['-tzvf', join(folder, fileOf('perfleet-agent'))], {
      encoding: 'utf8',
      env: { TZ: 'UTC', PATH: process.env['PATH'] },
    });
    expect(lines.match(/2026-01-02 03:04/g)).toHaveLength(3);
  });

  it('refuses a path that tar has no place for', () => {
    const path = `./${'a'.repeat(300)}`;
    expect(() => tarOf([{ path, mode: 0o644, content: '' }], new Date(0))).toThrow(`${path} is too long for tar`);
  });
});
