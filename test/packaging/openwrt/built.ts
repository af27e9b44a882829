import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleAgent, bundleOpenwrt } from '../../../packaging/build/build.mjs';
import { packOpenwrt } from '../../../packaging/build/openwrt-packages.mjs';
import { root } from '../../../packaging/root.mjs';

export const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const NAMES = ['perfleet-agent', 'perfleet-agent-node'] as const;
export type Name = (typeof NAMES)[number];

export const fileOf = (name: Name): string => `${name}_${version}-r1_all.ipk`;

/** Both agents and their packages; the names of these. */
export const build = (folder: string): string[] => {
  bundleAgent(folder);
  bundleOpenwrt(folder);
  return packOpenwrt(folder);
};

const untar = (archive: string, folder: string): void => {
  mkdirSync(folder);
  execFileSync('tar', ['-xzpf', archive, '-C', folder]);
};

/** All that is in a folder, a line each: mode and path. */
export const listing = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => `${(statSync(join(folder, path)).mode & 0o7777).toString(8)} ${path}`)
    .toSorted((a, b) => a.slice(4).localeCompare(b.slice(4)));

export const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(folder, path)).isFile());

/** Builds both packages and unpacks them with standard tools. */
export const buildAndUnpack = () => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-ipk-'));
  const dist = join(folder, 'dist');
  const inside = (name: Name, ...path: string[]): string => join(folder, name, ...path);
  build(dist);
  for (const name of NAMES) {
    untar(join(dist, fileOf(name)), inside(name));
    for (const part of ['data', 'control']) untar(inside(name, `${part}.tar.gz`), inside(name, part));
  }
  return {
    dist,
    /** In the unpacked package: `data.tar.gz`, and the files in it below `data`; `control` likewise. */
    inside,
    controlOf: (name: Name): Record<string, string> =>
      Object.fromEntries(
        readFileSync(inside(name, 'control/control'), 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => line.split(/: (.*)/, 2)),
      ),
    remove: () => rmSync(folder, { recursive: true }),
  };
};

export type Built = ReturnType<typeof buildAndUnpack>;
