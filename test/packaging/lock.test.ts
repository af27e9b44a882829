import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../packaging/dev/lock.mjs';

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perfleet-lock-test-'));
  lock = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('one works at a time, and nothing is left behind', async () => {
  let working = 0;
  const most: number[] = [];
  const work = async () => {
    working += 1;
    await new Promise(setImmediate);
    most.push(working);
    working -= 1;
  };
  await Promise.all([1, 2, 3, 4].map(() => withLock(lock, work)));
  expect(most).toEqual([1, 1, 1, 1]);
  expect(readdirSync(folder)).toEqual([]);
});

test('the lock is given back when the work fails', async () => {
  await expect(withLock(lock, () => Promise.reject(new Error('no network')))).rejects.toThrow('no network');
  expect(existsSync(lock)).toBe(false);
});

test('a lock whose owner died is taken over', async () => {
  const dead = spawn('true');
  await once(dead, 'exit');
  mkdirSync(lock);
  writeFileSync(join(lock, `${dead.pid}-abcdef`), '');
  expect(await withLock(lock, async () => 'done')).toBe('done');
});

test('whoever waited long enough is told who holds the lock and what to do', async () => {
  mkdirSync(lock);
  writeFileSync(join(lock, `${process.pid}-abcdef`), '');
  await expect(withLock(lock, async () => 'done', 0)).rejects.toThrow(
    `process ${process.pid} has held ${lock} for too long. If it is not installing anything, remove that folder.`,
  );
  expect(readdirSync(folder)).toEqual(['lock']);
});
