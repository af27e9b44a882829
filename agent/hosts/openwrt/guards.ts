import { each } from '../../core/each.ts';
import type { Action, Exit } from '../../core/io.ts';
import { GUARD } from '../../iperf3/guard.ts';
import { type Child, quote, type Shell, signal, start } from './shell.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

/** Bounds of what is read of iperf3's output, in bytes. */
const STDOUT_LIMIT = 524288;
const STDERR_LIMIT = 16384;

/** The guard ends iperf3 in time only if it has this long. */
const SHORTEST_LIMIT_S = 3;

/** Guards that may be there at once: one runs, one waits, and some are just about to end. */
const GUARDS = 4;

/** The fifos of the guards. */
export const GUARD_FIFOS: readonly string[] = ['guard-0', 'guard-1', 'guard-2', 'guard-3'];

/** A guard takes this for a word that came too late, and ends. */
const TOO_LATE = '0 0\n';

/**
 * The guard with its output in files, its pid in BASE.guard, its exit code in BASE.code. Its stdout stays open in all that it starts, as 5:
 * the end comes when all of that is gone. `ulimit`: nothing fills the RAM.
 */
const RUN = `guard=$1
base=$2
pidfile=$3
shift 3
ulimit -f 4096
if [ -f "$base.env" ]; then
  . "$base.env"
  rm -f "$base.env"
fi
exec 3<&0 5>&1
sh -c "$guard" guard "$pidfile" iperf3 "$@" <&3 3<&- >"$base.out" 2>"$base.err" &
echo $! >"$base.guard"
exec 3<&-
wait $!
echo $? >"$base.code"
echo
`;

export interface Guards {
  arm: (action: Of<'arm'>) => void;
  disarm: (key: number) => void;
  spawn: (action: Of<'spawn'>, now_ms: number) => void;
  kill: (action: Of<'kill'>) => void;
}

interface Guard {
  key: number;
  base: string;
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
export const createGuards = (shell: Shell, onExit: (key: number, exit: Exit) => void): Guards => {
  const all = { guards: [] as Guard[] };
  const find = (key: number): Guard | null => filter(all.guards, (guard) => guard.key === key)[0] ?? null;
  const pidfile = `${shell.state}/iperf3.pid`;

  const startGuard = (action: Of<'arm'> | Of<'spawn'>): Guard => {
    const key = action.key;
    const base = `${shell.state}/iperf3-${key}`;
    const password = action.env['IPERF3_PASSWORD'];
    if (password != null) fs.writefile(`${base}.env`, `export IPERF3_PASSWORD=${quote(password)}\n`);
    const onEnd = (): void => {
      const guard = find(key);
      all.guards = filter(all.guards, (other) => other.key !== key);
      const code = trim(fs.readfile(`${base}.code`) ?? '');
      const exit = {
        exit_code: length(code) > 0 ? int(code) : null,
        stdout: readBounded(`${base}.out`, STDOUT_LIMIT),
        stderr: readBounded(`${base}.err`, STDERR_LIMIT),
      };
      each(['env', 'guard', 'code', 'out', 'err'], (part) => fs.unlink(`${base}.${part}`));
      if (action.key_file != null) fs.unlink(action.key_file.path);
      if (guard?.running) onExit(key, exit);
    };
    const child = start(shell, `guard-${key % GUARDS}`, RUN, [GUARD, base, pidfile, ...action.argv], () => {}, onEnd);
    const guard = { key, base, child, running: false };
    push(all.guards, guard);
    return guard;
  };

  const disarm = (key: number): void => find(key)?.child?.write?.(TOO_LATE);

  const spawn = (action: Of<'spawn'>, now_ms: number): void => {
    const limit_s = int((action.until_ms - now_ms) / 1000);
    if (limit_s < SHORTEST_LIMIT_S) {
      disarm(action.key);
      const stderr = 'perfleet: not started: its time was over';
      uloop.timer(0, () => onExit(action.key, { exit_code: null, stdout: '', stderr }));
      return;
    }
    const key_file = action.key_file;
    if (key_file != null) fs.writefile(key_file.path, key_file.text);
    const guard = find(action.key) ?? startGuard(action);
    guard.running = true;
    guard.child.write(`${limit_s}\n`);
  };

  /** TERM goes to the guard, which ends iperf3 and follows with KILL; KILL goes to iperf3 itself, too. */
  const kill = (action: Of<'kill'>): void => {
    const guard = find(action.key);
    if (guard == null) return;
    signal(action.signal === 'TERM' ? `${guard.base}.guard` : pidfile, action.signal);
  };

  return { arm: startGuard, disarm, spawn, kill };
};
