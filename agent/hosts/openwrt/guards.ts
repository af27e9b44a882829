import { each } from '../../core/each.ts';
import type { Action, Exit } from '../../core/io.ts';
import { GUARD } from '../../iperf3/guard.ts';
import { type Child, ignore, MARKED, markOf, type Shell, start, writePrivate } from './shell.ts';
import { after } from './timer.ts';
import { asUtf8 } from './utf8.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

/** Bounds of what is kept of iperf3's output, in bytes. */
const STDOUT_LIMIT = 524288;
const STDERR_LIMIT = 16384;

/** The guard ends iperf3 in time only if it has this long. */
const SHORTEST_LIMIT_S = 3;

/** Guards that may be there at once: one runs, one waits, and some are just about to end. Taken in turn: what a killed one left may still read. */
export const GUARD_NAMES: readonly string[] = ['guard-0', 'guard-1', 'guard-2', 'guard-3'];

/**
 * The guard, niced, with stderr in BASE.err and its exit code in BASE.code. With a first argument "password" its stdin begins with that, a
 * line. `ulimit`: nothing fills the RAM.
 */
const RUN = `ulimit -f 4096
secret=$1
nice=$2
base=$3
shift 3
[ -z "$secret" ] || { IFS= read -r IPERF3_PASSWORD && export IPERF3_PASSWORD; } || exit
nice -n "$nice" sh -c "$@" 2>"$base.err"
echo $? >"$base.code"
`;

/** Ends what bears a mark, when nobody else can. */
const KILL = `${MARKED}exec 2>/dev/null
kill -KILL $(marked "$1")
`;

export interface Guards {
  arm: (action: Of<'arm'>) => void;
  disarm: (key: number) => void;
  spawn: (action: Of<'spawn'>, now_ms: number) => void;
  kill: (action: Of<'kill'>) => void;
}

interface Guard {
  key: number;
  name: string;
  child: Child;
  running: boolean;
}

const readBounded = (path: string, limit: number): string => {
  const file = fs.open(path, 're');
  const text = file?.read?.(limit) ?? '';
  file?.close?.();
  return text;
};

/** The guards of this agent: at most one waits, and at most one runs. `onExit` hears how an iperf3 ended. */
export const createGuards = (shell: Shell, nice: number, onExit: (key: number, exit: Exit) => void): Guards => {
  const all = { guards: [] as Guard[], started: 0 };
  const find = (key: number): Guard | null => filter(all.guards, (guard) => guard.key === key)[0] ?? null;
  const freeName = (): string | null => {
    const free = filter(GUARD_NAMES, (name) => length(filter(all.guards, (guard) => guard.name === name)) === 0);
    all.started += 1;
    return free[all.started % max(1, length(free))] ?? null;
  };

  const refuse = (key: number, reason: string): void => {
    after(0, () => onExit(key, { exit_code: null, stdout: '', stderr: `perfleet: not started: ${reason}` }));
  };

  const startGuard = (action: Of<'arm'> | Of<'spawn'>): Guard | null => {
    const key = action.key;
    const name = freeName();
    if (name == null) return null;
    const base = `${shell.folder}/iperf3-${key}`;
    const password = action.env['IPERF3_PASSWORD'];
    const output = { text: '' };
    const onText = (text: string): void => {
      const room = STDOUT_LIMIT - length(output.text);
      if (room > 0) output.text = `${output.text}${substr(text, 0, room)}`;
    };
    const onEnd = (): void => {
      const guard = find(key);
      all.guards = filter(all.guards, (other) => other.key !== key);
      const code = trim(fs.readfile(`${base}.code`) ?? '');
      const exit_code = length(code) > 0 ? int(code) : null;
      const stderr = asUtf8(readBounded(`${base}.err`, STDERR_LIMIT));
      each(['code', 'err', 'pid'], (part) => fs.unlink(`${base}.${part}`));
      if (!guard?.running) return;
      if (action.key_file != null) fs.unlink(action.key_file.path);
      onExit(key, { exit_code, stdout: asUtf8(output.text), stderr });
    };
    const secret = password == null ? '' : 'password';
    const args = [secret, `${nice}`, base, GUARD, 'guard', `${base}.pid`, 'iperf3', ...action.argv];
    const child = start(shell, { name, script: RUN, args, fed: true, marked: true }, onText, onEnd);
    if (password != null) child.write(`${password}\n`);
    const guard = { key, name, child, running: false };
    push(all.guards, guard);
    return guard;
  };

  const spawn = (action: Of<'spawn'>, now_ms: number) => {
    const key = action.key;
    const limit_s = int((action.until_ms - now_ms) / 1000);
    if (limit_s < SHORTEST_LIMIT_S) {
      find(key)?.child?.end?.();
      return refuse(key, 'its time was over');
    }
    const key_file = action.key_file;
    if (key_file != null) writePrivate(key_file.path, key_file.text);
    const guard = find(key) ?? startGuard(action);
    if (guard == null) return refuse(key, 'too many of them are still ending');
    guard.running = true;
    guard.child.write(`${limit_s}\n`);
  };

  /** At the end of its stdin a guard ends iperf3, with TERM, and with KILL two seconds later. */
  const kill = (action: Of<'kill'>) => {
    const guard = find(action.key);
    if (guard == null) return;
    guard.child.end();
    if (action.signal === 'TERM') return;
    const args = [`${markOf(shell)}${guard.name}`];
    start(shell, { name: 'kill', script: KILL, args, fed: false, marked: false }, ignore, ignore);
  };

  return {
    arm: (action) => {
      startGuard(action);
    },
    disarm: (key) => find(key)?.child?.end?.(),
    spawn,
    kill,
  };
};
