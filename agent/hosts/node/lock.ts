import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** `flock -n` waits for nothing; this is for a machine on which it hangs. No signal is handled meanwhile. */
const LIMIT_MS = 2_000;

/**
 * Takes the exclusive lock on `folder`/lock and returns how to give it back. The kernel keeps it for the open file, so it is gone with this
 * process, however it ends. Node has no flock(2): the `flock` utility (util-linux, BusyBox) takes it on the descriptor it inherits, and a
 * lock belongs to the open file, not to the process that asked for it. Throws when another agent holds it.
 */
export const lockFolder = (folder: string, env: NodeJS.ProcessEnv): (() => void) => {
  const path = join(folder, 'lock');
  const file = openSync(path, 'w', 0o600);
  const { status, error } = spawnSync('flock', ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', file],
    env,
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  if (status === 0) return () => closeSync(file);
  closeSync(file);
  if (error !== undefined) throw new Error(`cannot lock ${path}: ${error.message}; install the flock utility`);
  throw new Error(`another agent holds ${path}: stop it first, or give this one another "state" folder`);
};
