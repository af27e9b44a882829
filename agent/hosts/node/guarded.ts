import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Action } from '../../core/io.ts';
import { GUARD } from '../../iperf3/guard.ts';
import { capture } from './capture.ts';
import { MARKER, signal } from './leftovers.ts';

type Spawn = Extract<Action, { kind: 'spawn' }>;

export interface Exit {
  exit_code: number | null;
  stdout: string;
  stderr: string;
}

const STDOUT_LIMIT = 512 * 1024;
const STDERR_LIMIT = 16 * 1024;

/** The guard kills iperf3 in time only if it has this long: it tells it to end two seconds before. */
const SHORTEST_LIMIT_S = 3;

/** TERM goes to the guard, which ends iperf3 and follows with KILL; KILL goes to the whole group. */
export type Kill = (name: 'TERM' | 'KILL') => void;

const startGuard = ({ argv }: Spawn, state: string, env: NodeJS.ProcessEnv, limit_s: number) =>
  spawn('sh', ['-c', GUARD, 'guard', join(state, 'iperf3.pid'), String(limit_s), 'iperf3', ...argv], {
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });

/**
 * Runs one iperf3 under its guard and returns how to end it. The guard leads a process group of its own, and its stdin is a pipe that this
 * process holds open, and writes nothing to: when the agent dies, however, the guard ends iperf3. `onExit` is called once, when the whole group is gone, also if
 * nothing was started: `now_ms` is compared with the action's `until_ms`, and what comes too late is not started. The file with the
 * server's public key is there only as long as that.
 */
export const runGuarded = (
  action: Spawn,
  state: string,
  env: NodeJS.ProcessEnv,
  now_ms: number,
  onExit: (exit: Exit) => void,
): Kill => {
  const end = (exit: Exit): void => {
    if (action.key_file !== null) rmSync(action.key_file.path, { force: true });
    onExit(exit);
  };
  const refuse = (reason: string): Kill => {
    queueMicrotask(() => end({ exit_code: null, stdout: '', stderr: `perfleet: not started: ${reason}` }));
    return () => {};
  };
  const limit_s = Math.floor((action.until_ms - now_ms) / 1000);
  if (limit_s < SHORTEST_LIMIT_S) return refuse('its time was over');
  try {
    if (action.key_file !== null) writeFileSync(action.key_file.path, action.key_file.text, { mode: 0o600 });
  } catch (error) {
    return refuse(String(error));
  }
  const guard = startGuard(action, state, { ...env, ...action.env, [MARKER]: state }, limit_s);
  if (guard.pid === undefined) {
    guard.on('error', (error) => refuse(error.message));
    return () => {};
  }
  const group = -guard.pid;
  const stdout = capture(guard.stdout, STDOUT_LIMIT);
  const stderr = capture(guard.stderr, STDERR_LIMIT);
  guard.once('exit', (_code, killedBy) => {
    // A guard that was killed leaves iperf3 behind. While the group has members, its number is not given to another.
    if (killedBy !== null) signal(group, 'SIGKILL');
  });
  // `close` waits for the ends of stdout and stderr, which iperf3 holds as long as it lives.
  guard.once('close', (exit_code) => end({ exit_code, stdout: stdout(), stderr: stderr() }));
  return (name) => {
    if (guard.exitCode !== null || guard.signalCode !== null) return;
    if (name === 'TERM') guard.kill('SIGTERM');
    else signal(group, 'SIGKILL');
  };
};
