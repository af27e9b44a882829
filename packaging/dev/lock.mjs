// @ts-check
import { mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, say } from './say.mjs';

const POLL_MS = 100;

/**
 * Runs `work` while no other process holds the lock `folder`. The lock is a folder with one file in it, named after its
 * owner. It is made aside and renamed into place, which the kernel refuses while the place holds a file: there is no
 * moment at which a lock exists without an owner. A dead owner's lock is broken by removing that very file, so two who
 * see it dead cannot break each other's new lock.
 * @template T
 * @param {string} folder the same path for everybody; its parent exists
 * @param {() => Promise<T>} work
 * @param {number} [patience] give up after this many ms
 * @returns {Promise<T>}
 * @throws {Refusal} when the lock is not free in time
 */
export async function withLock(folder, work, patience = 15 * 60_000) {
  const owner = await acquire(folder, patience);
  try {
    return await work();
  } finally {
    breakLock(folder, owner);
  }
}

/** @param {string} folder @param {number} patience */
async function acquire(folder, patience) {
  const giveUp = Date.now() + patience;
  for (let told = false; ; await sleep(POLL_MS)) {
    const mine = tryAcquire(folder);
    if (mine !== null) return mine;
    const other = ownerOf(folder);
    if (other === undefined) continue;
    const pid = Number.parseInt(other, 10);
    if (!isAlive(pid)) {
      breakLock(folder, other);
      continue;
    }
    if (Date.now() > giveUp) {
      throw new Refusal(
        `process ${pid} has held ${folder} for too long. If it is not installing anything, remove that folder.`,
      );
    }
    if (!told) say(`waiting for process ${pid}, which is installing`);
    told = true;
  }
}

/** @param {string} folder @returns {string | null} the name of our file, null when the lock is taken */
function tryAcquire(folder) {
  const aside = mkdtempSync(`${folder}-`);
  const owner = `${process.pid}-${aside.slice(-6)}`;
  writeFileSync(join(aside, owner), '');
  try {
    renameSync(aside, folder);
    return owner;
  } catch (error) {
    rmSync(aside, { recursive: true });
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return null;
    throw error;
  }
}

/** @param {string} folder @returns {string | undefined} nothing when it was given back just now */
function ownerOf(folder) {
  try {
    return readdirSync(folder)[0];
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** @param {string} folder @param {string} owner */
function breakLock(folder, owner) {
  try {
    unlinkSync(join(folder, owner));
    rmdirSync(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** @param {unknown} error @param {string[]} codes */
const hasCode = (error, ...codes) => error instanceof Error && 'code' in error && codes.includes(String(error.code));
