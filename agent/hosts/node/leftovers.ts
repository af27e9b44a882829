import { readdirSync, readFileSync } from 'node:fs';
import { type Clock, sleep } from '../../../broker/clock.ts';
import { KILL_AFTER_TERM_MS } from '../../../broker/contract/numbers.ts';

/** Marks every process that an agent starts, so that its next start finds what is left. */
export const MARKER = 'PERFLEET_STATE';

const POLL_MS = 25;
const GIVE_UP_MS = 5_000;

const readProc = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // gone, or not ours to read
  }
};

/** A zombie runs nothing any more; it only waits for its parent. */
const runs = (pid: string): boolean => !/\) [ZX]/.test(readProc(pid, 'stat'));

/** The living processes that an agent with this state folder started, its guards and iperf3 among them. */
export const findLeftovers = (state: string): number[] => {
  const marker = Buffer.from(`${MARKER}=${state}`).toString('latin1');
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => readProc(pid, 'environ').split('\0').includes(marker) && runs(pid))
    .map(Number);
};

/** Sends a signal; a process (or, with a negative pid, a group) that is gone already is fine. */
export const signal = (pid: number, name: 'SIGTERM' | 'SIGKILL'): void => {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended in the meantime
  }
};

/**
 * Ends what an earlier agent with this state folder left running, TERM first, KILL after 2 s, and resolves with their pids when all are
 * gone. Rejects when something is still there after 5 s. Once `isHurried` says so, all of it is killed at once and not waited for.
 */
export const endLeftovers = async (
  state: string,
  clock: Clock,
  isHurried: () => boolean = () => false,
): Promise<number[]> => {
  const found = findLeftovers(state);
  const begin = clock.now();
  for (const pid of found) signal(pid, 'SIGTERM');
  for (;;) {
    const left = findLeftovers(state);
    if (left.length === 0) return found;
    const waited = clock.now() - begin;
    if (waited >= GIVE_UP_MS)
      throw new Error(
        `processes ${left.join(', ')} of an earlier agent do not end; end them, then start the agent again`,
      );
    const hurried = isHurried();
    if (hurried || waited >= KILL_AFTER_TERM_MS) for (const pid of left) signal(pid, 'SIGKILL');
    if (hurried) return found;
    await sleep(clock, POLL_MS);
  }
};
