import { readFileSync } from 'node:fs';

/** Whether a process is stopped (SIGSTOP) by now. */
export const isStopped = (pid: number): boolean => /\) T/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

/** Whether a process runs; a zombie, which only waits for its parent, does not. */
export const isRunning = (pid: number): boolean => {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};
