import './ucode.ts';
import { mkdirSync, readdirSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openResults, roomIn } from '../../../../agent/hosts/openwrt/results.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { stored } from '../../core/bench.ts';
import { fillDisk } from './ucode.ts';

const open = () => {
  const folder = join(tempFolder(), 'results');
  const warnings: string[] = [];
  return { folder, warnings, results: openResults(folder, (text) => warnings.push(text)) };
};

it('results are read back, oldest first, and forgotten', () => {
  const { folder, warnings, results } = open();
  expect(results.load()).toEqual([]);
  results.store(stored('r-b', 1));
  results.store(stored('r-a', 2));
  utimesSync(join(folder, 'r-b.json'), 1, 1);
  expect(results.load()).toEqual([stored('r-b', 1), stored('r-a', 2)]);
  results.forget('r-b');
  results.forget('r-b');
  expect(results.load()).toEqual([stored('r-a', 2)]);
  expect(warnings).toEqual([]);
});

it('nobody else may read a result', () => {
  const { folder, results } = open();
  results.store(stored('r-a', 2));
  expect([statSync(folder).mode & 0o777, statSync(join(folder, 'r-a.json')).mode & 0o777]).toEqual([0o700, 0o600]);
});

it('what is no whole result is removed, with a warning', () => {
  const { folder, warnings, results } = open();
  writeFileSync(join(folder, 'r-1.json'), '{"run":');
  writeFileSync(join(folder, 'r-2.json'), '{}');
  writeFileSync(join(folder, 'r-3.json.tmp'), '');
  symlinkSync('/nowhere', join(folder, 'r-4.json'));
  expect(results.load()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
  expect(warnings).toHaveLength(4);
});

it('a folder that cannot be made holds nothing', () => {
  const folder = join(tempFolder(), 'a', 'b');
  const warnings: string[] = [];
  const results = openResults(folder, (text) => warnings.push(text));
  expect(results.load()).toEqual([]);
  results.store(stored('r-1', 1));
  expect(warnings).toEqual([`result ${folder}/r-1.json not written: a restart of the agent would lose it`]);
});

it('a result is whole or not there', () => {
  const { folder, warnings, results } = open();
  mkdirSync(join(folder, 'r-1.json'));
  results.store(stored('r-1', 1));
  expect(readdirSync(folder)).toEqual(['r-1.json']);
  expect(warnings).toHaveLength(1);
  mkdirSync(join(folder, 'r-2.json.tmp'));
  results.store(stored('r-2', 1));
  expect(warnings).toHaveLength(2);
});

it('a result that had been written whole, but for its name, is kept, and forgotten like another', () => {
  const { folder, warnings, results } = open();
  results.store(stored('r-1', 1));
  renameSync(join(folder, 'r-1.json'), join(folder, 'r-1.json.tmp'));
  expect(results.load()).toEqual([stored('r-1', 1)]);
  results.forget('r-1');
  expect([readdirSync(folder), warnings]).toEqual([[], []]);
});

it('what a full disk did not take is not there', () => {
  const { folder, warnings, results } = open();
  fillDisk();
  results.store(stored('r-1', 1));
  expect([readdirSync(folder), warnings.length]).toEqual([[], 1]);
});

it('results may take a share of the memory that is available, and never more than 1 MiB', () => {
  const room = (kilobytes: number) => roomIn(`MemTotal: 60000 kB\nMemAvailable:   ${kilobytes} kB\n`);
  expect(room(4096)).toEqual({ results: 16, bytes: 262_144 });
  expect(room(400_000)).toEqual({ results: 16, bytes: 1_048_576 });
  expect(roomIn('')).toEqual({ results: 16, bytes: 1_048_576 });
});
