import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildAll } from '../../packaging/build/build.mjs';
import { root } from '../../packaging/root.mjs';

/** Inside node_modules, so that perfleet.js finds libsql as it does from dist/. */
const cache = join(root, 'node_modules/.cache/perfleet');
let folder: string;
let built: { perfleet: Metafile; agent: Metafile };

beforeAll(() => {
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'bundles-'));
  built = buildAll(folder);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The sources that made it into the output: what was shaken off weighs 0 bytes. */
const contents = (metafile: Metafile): string[] =>
  Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );

/** Native speed-ups that the package ws uses when somebody installed them. */
const OPTIONAL = ['bufferutil', 'utf-8-validate'];

const neededPackages = (metafile: Metafile): string[] => [
  ...new Set(
    Object.values(metafile.outputs)
      .flatMap(({ imports }) => imports.map(({ path }) => path))
      .filter((path) => !isBuiltin(path) && !OPTIONAL.includes(path)),
  ),
];

const within = (...folders: string[]) => expect.stringMatching(new RegExp(`^(${folders.join('|')})/`));

describe('agent.js', () => {
  test('is made of the agent, of what both sides share, and of packages', () => {
    expect(contents(built.agent)).toContain('agent/main.ts');
    for (const source of contents(built.agent)) expect(source).toEqual(within('agent', 'broker', 'node_modules'));
  });

  test('does without zod, which is larger than the agent', () => {
    expect(contents(built.agent)).not.toContainEqual(within('node_modules/zod'));
  });

  test('needs nothing but Node.js', () => {
    expect(neededPackages(built.agent)).toEqual([]);
  });
});

describe('perfleet.js', () => {
  test('is made of our own three parts and of packages, without tests or tools', () => {
    expect(contents(built.perfleet)).toContain('controller/main.ts');
    for (const source of contents(built.perfleet)) {
      expect(source).toEqual(within('controller', 'agent', 'broker', 'node_modules'));
    }
  });

  test('needs the packages with native parts, and Node.js', () => {
    expect(neededPackages(built.perfleet).toSorted()).toEqual(['libsql', 'ssh2']);
  });

  test('is a program that knows the version of package.json', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(execFileSync(join(folder, 'perfleet.js'), ['--version'], { encoding: 'utf8' })).toBe(`${version}\n`);
  });
});

test('both bundles are executable and come with a list of their contents', () => {
  for (const name of ['perfleet', 'agent'] as const) {
    expect(statSync(join(folder, `${name}.js`)).mode & 0o777).toBe(0o755);
    expect(JSON.parse(readFileSync(join(folder, `${name}.meta.json`), 'utf8'))).toEqual(built[name]);
  }
});
