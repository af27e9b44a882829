// @ts-check
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Marks every process that inherits the environment of a test run. */
export const MARK = 'PERFLEET_TEST_RUN';

/** A process that was told to end may take this long, in ms. */
const GRACE_MS = 2000;

/**
 * The processes of a test run that outlived it. They are killed: nobody else will. One that was started with an environment
 * of its own does not carry the mark and is not found; where there is no /proc none is.
 * @param {string} value of MARK in the run's environment
 * @returns {Promise<string[]>} one line each: pid and command line
 */
export async function endLeftovers(value) {
  const giveUp = Date.now() + GRACE_MS;
  let found = marked(value);
  while (found.length > 0 && Date.now() < giveUp) {
    await sleep(50);
    found = marked(value);
  }
  return found.map((pid) => {
    const line = `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended just now.
    }
    return line;
  });
}

/** @param {string} value */
const marked = (value) =>
  list()
    .map(Number)
    .filter((pid) => pid > 0 && read(pid, 'environ').split('\0').includes(`${MARK}=${value}`));

function list() {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

/** @param {number} pid @param {string} file */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
