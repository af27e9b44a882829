import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../broker/log.ts';
import type { Action, Exit } from '../../core/io.ts';
import { GUARD } from '../../iperf3/guard.ts';
import { capture } from './capture.ts';
import { MARKER, signal } from './leftovers.ts';
import { beNice } from './priority.ts';

type Spawn = Extract<Action, { kind: 'spawn' }>;

const STDOUT_LIMIT = 512 * 1024;
const STDERR_LIMIT = 16 * 1024;

/** The guard kills iperf3 in time only if it has this long: it tells it to end two seconds before. */
const SHORTEST_LIMIT_S = 3;

/** TERM goes to the guard, which ends iperf3 and follows with KILL; KILL goes to the whole group. */
export type Kill = (name: 'TERM' | 'KILL') => void;

/** A guard, and what has come out of it so far. */
export interface Guard {
  process: ChildProcessWithoutNullStreams;
  /** The process group that it leads, to be signalled as a whole. */
  group: number;
  stdout: () => string;
  stderr: () => string;
}

/** What guards are started with: the agent's folder, its environment, and how much nicer than the agent they are. */
export interface GuardedBy {
  state: string;
  nice: number;
  env: NodeJS.ProcessEnv;
  log: Log;
}

const isAlive = ({ process }: Guard): boolean => process.exitCode === null && process.signalCode === null;

/**
 * Starts a guard, which waits. It leads a process group of its own, and its stdin is a pipe that this process holds open: when the agent
 * dies, however, the guard ends, and ends iperf3 if that was running. Null when there can be no process; `onError` is told why.
 */
export const startGuard = (
  { argv, env: own }: Pick<Spawn, 'argv' | 'env'>,
  { state, nice, env, log }: GuardedBy,
  onError: (error: Error) => void,
): Guard | null => {
  const guard = spawn('sh', ['-c', GUARD, 'guard', join(state, 'iperf3.pid'), 'iperf3', ...argv], {
    env: { ...env, ...own, [MARKER]: state },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  guard.on('error', onError);
  const { pid } = guard;
  if (pid === undefined) return null;
  // Before it gets its line: all that it starts is as nice as it is itself.
  beNice(pid, nice, log);
  // It was killed before it got its line: its exit says so too.
  guard.stdin.on('error', () => {});
  return {
    process: guard,
    group: -pid,
    stdout: capture(guard.stdout, STDOUT_LIMIT),
    stderr: capture(guard.stderr, STDERR_LIMIT),
  };
};

/** Ends a guard that waits in vain: it sees the end of its stdin. */
export const dismiss = (guard: Guard): void => {
  guard.process.stdin.destroy();
};

/**
 * Runs one iperf3 under its guard and returns how to end it: under `waiting` if that is still alive, or a new one. `onExit` is called
 * once, when the whole group is gone, also if nothing was started: `now_ms` is compared with the action's `until_ms`, and what comes too
 * late is not started. The file with the server's public key is there only as long as that.
 */
export const runGuarded = (
  action: Spawn,
  { now_ms, waiting, ...by }: GuardedBy & { now_ms: number; waiting: Guard | null },
  onExit: (exit: Exit) => void,
): Kill => {
  const end = (exit: Exit): void => {
    if (action.key_file !== null) rmSync(action.key_file.path, { force: true });
    onExit(exit);
  };
  const refuse = (reason: string): Kill => {
    if (waiting !== null) dismiss(waiting);
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
  const guard =
    waiting !== null && isAlive(waiting) ? waiting : startGuard(action, by, ({ message }) => refuse(message));
  if (guard === null) return () => {};
  const { process, group, stdout, stderr } = guard;
  process.stdin.write(`${limit_s}\n`);
  process.once('exit', (_code, killedBy) => {
    // A guard that was killed leaves iperf3 behind. While the group has members, its number is not given to another.
    if (killedBy !== null) signal(group, 'SIGKILL');
  });
  // `close` waits for the ends of stdout and stderr, which iperf3 holds as long as it lives.
  process.once('close', (exit_code) => end({ exit_code, stdout: stdout(), stderr: stderr() }));
  return (name) => {
    if (!isAlive(guard)) return;
    if (name === 'TERM') process.kill('SIGTERM');
    else signal(group, 'SIGKILL');
  };
};
