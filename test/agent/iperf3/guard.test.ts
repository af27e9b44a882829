import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { GUARD } from '../../../agent/iperf3/guard.ts';
import { isRunning } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'perfleet-guard-'));
const applets = join(folder, 'bin');
let count = 0;

/** A path that nobody uses yet. */
const fresh = (name: string): string => join(folder, `${name}-${++count}`);

/** Sleeps until it gets TERM. */
const patient = ['sh', '-c', 'exec sleep 30'];

/** Does not care about TERM, and makes the file once it is so. */
const stubborn = (deaf: string) => ['sh', '-c', 'trap "" TERM; echo now >"$0"; while :; do sleep 0.1; done', deaf];

beforeAll(() => {
  mkdirSync(applets);
  for (const name of ['sh', 'sleep']) symlinkSync('/bin/busybox', join(applets, name));
});
afterAll(() => rmSync(folder, { recursive: true }));

const killGroup = (guard: ChildProcess): void => {
  guard.stdin?.destroy();
  try {
    process.kill(-(guard.pid ?? 0), 'SIGKILL');
  } catch {
    // all of it has ended
  }
};

/** The living members of a process group. */
const group = (pgid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
        return Number(fields[2]) === pgid && fields[0] !== 'Z';
      } catch {
        return false;
      }
    });

// They mostly wait: at the same time.
describe.concurrent.each([
  { shell: 'dash', path: process.env['PATH'] },
  { shell: 'sh', path: applets },
])('the guard in $shell with PATH $path', ({ shell, path }) => {
  /** A guard that waits for its line. */
  const waiting = ({ onTestFinished }: TestContext, command: string[], pidfile = fresh('pid')) => {
    const program = path === applets && shell === 'sh' ? join(applets, 'sh') : shell;
    const child = spawn(program, ['-c', GUARD, 'guard', pidfile, ...command], { env: { PATH: path }, detached: true });
    onTestFinished(() => killGroup(child));
    const pid = () =>
      until('the pid is written', () => (existsSync(pidfile) ? Number(readFileSync(pidfile, 'utf8')) : 0));
    const exit = once(child, 'exit').then(([code]: number[]) => code);
    return { child, pidfile, pid, exit, stdout: text(child.stdout), stderr: text(child.stderr) };
  };

  /** A guard that has its line. */
  const guard = (context: TestContext, limit_s: number, command: string[], pidfile?: string) => {
    const run = waiting(context, command, pidfile);
    run.child.stdin.write(`${limit_s}\n`);
    return run;
  };

  it.for(['', '60'])('begins nothing when stdin ends after "%s", without a whole line', async (input, context) => {
    const run = waiting(context, ['sh', '-c', 'echo begun']);
    run.child.stdin.end(input);
    expect(await run.exit).toBe(0);
    expect(await run.stdout).toBe('');
    expect(existsSync(run.pidfile)).toBe(false);
    expect(group(run.child.pid ?? 0)).toEqual([]);
  });

  it('begins nothing when it gets TERM while it waits', async (context) => {
    const run = waiting(context, ['sh', '-c', 'echo begun']);
    run.child.kill('SIGTERM');
    await run.exit;
    expect(await run.stdout).toBe('');
    expect(group(run.child.pid ?? 0)).toEqual([]);
  });

  it('counts the limit from its line, however long it has waited', async (context) => {
    const run = waiting(context, patient);
    await delay(1_500); // it is time itself that is looked at
    expect(existsSync(run.pidfile)).toBe(false);
    const begin = performance.now();
    run.child.stdin.write('3\n');
    expect(await run.exit).toBe(143);
    expect(performance.now() - begin).toBeGreaterThan(990);
  });

  it('begins nothing when its line comes after the uptime that it names', async (context) => {
    const uptime_s = Math.floor(Number.parseFloat(readFileSync('/proc/uptime', 'utf8')));
    const late = waiting(context, ['sh', '-c', 'echo begun']);
    late.child.stdin.write(`60 ${uptime_s}\n`);
    expect(await late.exit).toBe(75);
    expect(await late.stdout).toBe('');
    expect(await late.stderr).toBe('perfleet: not started: the word to start came too late\n');
    const early = waiting(context, ['sh', '-c', 'echo begun']);
    early.child.stdin.write(`60 ${uptime_s + 60}\n`);
    expect(await early.exit).toBe(0);
    expect(await early.stdout).toBe('begun\n');
  });

  it('passes on arguments, output and exit code, and leaves nothing behind', async (context) => {
    const script = 'cat "$0" 2>/dev/null || read -r p <"$0"; echo "$$ $p $1" >&1; echo err >&2; exit 7';
    const pidfile = fresh('pid');
    const run = guard(context, 60, ['sh', '-c', script, pidfile, '$(rm -rf x); "'], pidfile);
    expect(await run.exit).toBe(7);
    expect(await run.stdout).toMatch(/ \$\(rm -rf x\); "\n$/);
    expect(await run.stderr).toBe('err\n');
    expect(readFileSync(run.pidfile, 'utf8')).toBe('');
    await until('the helpers are gone', () => group(run.child.pid ?? 0).length === 0);
  });

  it('writes down the pid of the program itself before it begins', async (context) => {
    const pidfile = fresh('pid');
    const run = guard(context, 60, ['sh', '-c', 'read -r p <"$0"; [ "$p" = $$ ] && echo same', pidfile], pidfile);
    expect(await run.stdout).toBe('same\n');
  });

  it('does not begin when it cannot write the pid down', async (context) => {
    const pidfile = fresh('pid');
    mkdirSync(pidfile);
    const run = guard(context, 60, ['sh', '-c', 'echo begun'], pidfile);
    expect(await run.exit).not.toBe(0);
    expect(await run.stdout).toBe('');
    expect(await run.stderr).toMatch(/pid-/);
  });

  it('ends the program when stdin ends', async (context) => {
    const run = guard(context, 60, patient);
    const pid = await run.pid();
    run.child.stdin.end('some input\nthat is not the end');
    expect(await run.exit).toBe(143);
    expect(isRunning(pid)).toBe(false);
  });

  it.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends the program on %s', async (name, context) => {
    const run = guard(context, 60, patient);
    const pid = await run.pid();
    run.child.kill(name);
    expect(await run.exit).toBe(143);
    expect(isRunning(pid)).toBe(false);
    expect(readFileSync(run.pidfile, 'utf8')).toBe('');
  });

  it('ends the program at the limit, told two seconds before', async (context) => {
    const run = guard(context, 3, patient);
    const begin = performance.now();
    expect(await run.exit).toBe(143);
    expect(performance.now() - begin).toBeLessThan(3_000);
  });

  it('kills a program that ignores TERM two seconds later, also when TERM comes to the whole group and again', async (context) => {
    const deaf = fresh('deaf');
    const run = guard(context, 60, stubborn(deaf));
    const pid = await run.pid();
    await until('it is deaf', () => existsSync(deaf));
    process.kill(-(run.child.pid ?? 0), 'SIGTERM');
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(137);
    expect(isRunning(pid)).toBe(false);
  });

  it('killed itself, still ends the program when stdin ends', async (context) => {
    const deaf = fresh('deaf');
    const run = guard(context, 60, stubborn(deaf));
    const pid = await run.pid();
    await until('it is deaf', () => existsSync(deaf));
    run.child.kill('SIGKILL');
    await run.exit;
    expect(isRunning(pid)).toBe(true);
    run.child.stdin.end();
    await until('the program is killed', () => !isRunning(pid));
    await until('the helpers are gone', () => group(run.child.pid ?? 0).length === 0);
  });

  it('whose caller has died, with all pipes to it, goes with the program', async (context) => {
    const run = guard(context, 60, patient);
    void Promise.allSettled([run.stdout, run.stderr]);
    await run.pid();
    for (const pipe of run.child.stdio) pipe?.destroy();
    expect(await run.exit).toBe(143);
    expect(readFileSync(run.pidfile, 'utf8')).toBe('');
    await until('the helpers are gone', () => group(run.child.pid ?? 0).length === 0);
  });

  it('keeps what the shell says about the end of the program out of its stderr', async (context) => {
    const run = guard(context, 60, patient);
    await run.pid();
    run.child.kill('SIGTERM');
    expect(await run.stderr).toBe('');
  });

  it('reports a program that is not there', async (context) => {
    const run = guard(context, 60, ['/nonexistent']);
    expect(await run.exit).toBe(127);
  });

  it('does not lose a signal that comes at any moment of its start', async (context) => {
    const endAfter = async (ms: number) => {
      const run = guard(context, 60, patient);
      const at = performance.now() + ms;
      while (performance.now() < at);
      run.child.kill('SIGTERM');
      await run.exit;
      run.child.stdin.destroy();
      await until('all is gone', () => group(run.child.pid ?? 0).length === 0);
    };
    await Promise.all([0, 2, 4, 6].map(endAfter));
  });

  it('trusts no pid that lies there from before', async (context) => {
    const pidfile = fresh('pid');
    writeFileSync(pidfile, `${process.pid}\n`);
    const run = guard(context, 60, patient, pidfile);
    run.child.stdin.end();
    expect(await run.exit).toBe(143);
  });
});
