import './ucode.ts';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { createPreflight, type Preflight } from '../../../../agent/hosts/openwrt/preflight.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { until } from '../../../helpers/until.ts';
import { makeShell, marked } from './rig.ts';
import { hurry } from './ucode.ts';

const look = async (host: string): Promise<Preflight & { answers: number }> => {
  const found: Preflight[] = [];
  const shell = makeShell(['one']);
  const { popen } = fs;
  const opened: (UcodeFile | null)[] = [];
  fs.popen = (command, mode) => {
    const file = popen(command, mode);
    opened.push(file);
    return file;
  };
  createPreflight(shell)(host, (one) => found.push(one));
  const first = await until('it has looked', () => found[0]);
  await until('nothing is left running', () => marked(`${shell.state};`).length === 0);
  await until('that was heard', () => opened[0]?.read('all') === null);
  return { ...first, answers: found.length };
};

/** For this test, a program of this name that is this script. */
const program = (name: string, script: string): void => {
  const bin = join(tempFolder(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`);
};

it.each(['127.0.0.1', '::1', 'fe80::1%eth0', 'localhost'])('iperf3 is there, and %s has an address', async (host) => {
  expect(await look(host)).toEqual({ iperf3: expect.stringMatching(/^3\.\d/), resolved: true, answers: 1 });
});

it('a name without an address is said to have none', async () => {
  program('nslookup', 'echo "server can\'t find $1" >&2; exit 1');
  expect(await look('nowhere.invalid')).toMatchObject({ resolved: false });
});

it('an iperf3 that does not work is none', async () => {
  program('iperf3', 'echo broken; exit 1');
  expect(await look('127.0.0.1')).toMatchObject({ iperf3: null, resolved: true });
});

it('what takes too long is not waited for, and not heard when it ends', async () => {
  program('iperf3', 'exec sleep 1');
  hurry(40);
  expect(await look('127.0.0.1')).toEqual({ iperf3: null, resolved: false, answers: 1 });
});

it('one host is looked at, and then the one that was asked for last', async () => {
  const folder = tempFolder();
  program('iperf3', `echo $$ >>${folder}/looks; echo iperf 3.12`);
  const preflight = createPreflight(makeShell(['one']));
  const answered: number[] = [];
  for (const turn of [1, 2, 3, 4]) preflight('127.0.0.1', () => answered.push(turn));
  await until('the last is answered', () => answered.includes(4));
  expect(answered).toEqual([1, 4]);
  expect(readFileSync(join(folder, 'looks'), 'utf8').trim().split('\n')).toHaveLength(2);
  preflight('127.0.0.1', () => answered.push(5));
  await until('it is answered, too', () => answered.includes(5));
});
