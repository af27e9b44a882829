import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../packaging/root.mjs';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

test('every file lives in one of the seven folders or at the top', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  const folders = new Set(tracked.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
  const known = ['.ci', 'agent', 'broker', 'controller', 'docs', 'packaging', 'test'];
  expect(known).toEqual(expect.arrayContaining([...folders]));
});

test('package.json names the licence and the Node.js it needs, and the licence is there', () => {
  expect(manifest).toMatchObject({ license: 'MIT', engines: { node: '>=20' }, type: 'module' });
  expect(readFileSync(join(root, 'LICENSE'), 'utf8')).toContain('MIT License');
});

test('the commands need nothing that only `npm ci` brings', () => {
  for (const command of ['build', 'check', 'demo', 'test', 'bench', 'simulate', 'fuzz']) {
    expect(manifest.scripts[command]).toBe(`node packaging/dev/run.mjs ${command}`);
  }
});

test('CI runs one executable', () => {
  expect(statSync(join(root, '.ci/run')).mode & 0o111).toBe(0o111);
});
