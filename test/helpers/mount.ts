import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempFolder } from './temp-folder.ts';

const mount = (...args: string[]): void => {
  execFileSync('mount', args, { stdio: 'ignore' });
};

/** Lazily: whoever still has a file open there does not keep it in place. */
const unmount = (folder: string): void => {
  execFileSync('umount', ['--lazy', folder]);
};

/** Whether this process may mount: not without root, nor in most containers. */
export const canMount = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-mount-'));
  try {
    mount('-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder);
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
})();

/** A new folder on a disk of `size` (such as `256k`), gone after the test. */
export const smallDisk = (size: string): string => {
  const folder = tempFolder();
  mountSmallDisk(folder, size);
  return folder;
};

/** `folder`, which is there, is on a disk of `size` until the end of the test. */
export const mountSmallDisk = (folder: string, size: string): void => {
  mount('-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder);
  onTestFinished(() => unmount(folder));
};

/** Nobody, not even root, can write to `folder` until the end of the test. */
export const makeReadOnly = (folder: string): void => {
  mount('--bind', folder, folder);
  onTestFinished(() => unmount(folder));
  mount('-o', 'remount,bind,ro', folder);
};

/** Leaves no byte of a small disk free; returns how to free them again. */
export const fillDisk = (disk: string): (() => void) => {
  const file = `${disk}/filler`;
  for (let size = 1 << 20; size >= 512; ) {
    try {
      writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch {
      size >>= 1;
    }
  }
  return () => rmSync(file);
};
