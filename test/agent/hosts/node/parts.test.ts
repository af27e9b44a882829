import '../../../../agent/hosts/node/builtins.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Action, Exit } from '../../../../agent/core/io.ts';
import { capture } from '../../../../agent/hosts/node/capture.ts';
import { type Guard, type GuardedBy, runGuarded, startGuard } from '../../../../agent/hosts/node/guarded.ts';
import { endLeftovers, findLeftovers, signal } from '../../../../agent/hosts/node/leftovers.ts';
import { lineLog } from '../../../../agent/hosts/node/line-log.ts';
import { iperf3Finder, resolveHost } from '../../../../agent/hosts/node/preflight.ts';
import { ResultFolder } from '../../../../agent/hosts/node/result-folder.ts';
import { runAgent } from '../../../../agent/run-agent.ts';
import { systemClock } from '../../../../broker/clock.ts';
import { ManualClock } from '../../../helpers/manual-clock.ts';
import { isRunning, isStopped } from '../../../helpers/processes.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { until } from '../../../helpers/until.ts';
import { stored } from '../../core/bench.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perfleet-parts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the folder of results', () => {
  it('reads back what it stored, oldest first, and forgets', () => {
    const results = new ResultFolder(join(folder, 'results'), new RecordedLog());
    expect(results.load()).toEqual([]);
    results.store(stored('r-b', 1));
    results.store(stored('r-a', 2));
    utimesSync(join(folder, 'results', 'r-b.json'), 1, 1);
    expect(results.load()).toEqual([stored('r-b', 1), stored('r-a', 2)]);
    results.forget('r-b');
    results.forget('r-b');
    expect(results.load()).toEqual([stored('r-a', 2)]);
  });

  it('drops what is no whole result, with a warning', () => {
    const log = new RecordedLog();
    writeFileSync(join(folder, 'r-1.json'), '{"run":');
    writeFileSync(join(folder, 'r-2.json'), '{}');
    writeFileSync(join(folder, 'r-3.json.tmp'), JSON.stringify(stored('r-3', 3)));
    expect(new ResultFolder(folder, log).load()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    expect(log.of('warn')).toHaveLength(3);
  });

  it('logs when it cannot write', () => {
    const log = new RecordedLog();
    new ResultFolder(join(folder, 'nowhere'), log).store(stored('r-1', 1));
    expect(log.of('warn')[0]?.message).toMatch(/^result not written/);
  });
});

describe('a guarded process', () => {
  const action = (more: object = {}): Extract<Action, { kind: 'spawn' }> => ({
    kind: 'spawn',
    key: 1,
    argv: ['-x'],
    env: {},
    key_file: null,
    until_ms: 60_000,
    ...more,
  });
  let at: GuardedBy & { now_ms: number; waiting: Guard | null };
  beforeEach(() => {
    at = { state: folder, nice: 5, env: process.env, log: new RecordedLog(), now_ms: 0, waiting: null };
  });
  const run = (more: object, env: NodeJS.ProcessEnv = { PATH: folder }, now_ms = 0, waiting: Guard | null = null) =>
    new Promise<Exit>((resolve) => {
      runGuarded(action(more), { ...at, env, now_ms, waiting }, resolve);
    });

  it('is not started when its time is over', async () => {
    expect(await run({}, {}, 57_001)).toEqual({
      exit_code: null,
      stdout: '',
      stderr: 'perfleet: not started: its time was over',
    });
  });

  it('is not started when the key cannot be written, or there is no shell', async () => {
    const path = join(folder, 'no', 'key');
    expect((await run({ key_file: { path, text: 'k' } })).stderr).toMatch(/not started: .*ENOENT/);
    const key = join(folder, 'key');
    expect((await run({ key_file: { path: key, text: 'k' } })).stderr).toMatch(/not started: spawn sh ENOENT/);
    await until('the key is gone', () => !existsSync(key));
  });

  it('takes no signal before it was started or after it has ended', async () => {
    let kill = runGuarded(action(), { ...at, env: { PATH: folder }, now_ms: 59_000 }, () => {});
    kill('KILL');
    kill = runGuarded(action(), { ...at, env: { PATH: join(folder, 'none') } }, () => {});
    kill('TERM');
    await new Promise<Exit>((resolve) => {
      kill = runGuarded(action(), at, resolve);
    });
    kill('KILL');
  });

  it('runs under the guard that waits for it, if that is still there', async () => {
    writeFileSync(join(folder, 'iperf3'), '#!/bin/sh\necho "$0 $1 $OF_ITS_OWN"\n', { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env['PATH']}` };
    const what = { argv: ['-x'], env: { OF_ITS_OWN: 'env' } };
    const waiting = startGuard(what, { ...at, env }, () => {});
    const exit = await new Promise<Exit>((resolve) => {
      runGuarded(action(), { ...at, env: {}, waiting }, resolve);
    });
    expect(exit).toEqual({ exit_code: 0, stdout: `${folder}/iperf3 -x env\n`, stderr: '' });
    // It has ended: there is a new one.
    expect(await run({ env: { OF_ITS_OWN: 'new' } }, env, 0, waiting)).toMatchObject({
      stdout: expect.stringMatching(/new\n$/),
    });
  });

  it('that is refused ends the guard that waits for it', async () => {
    const waiting = startGuard(action(), at, () => {});
    expect((await run({}, {}, 57_001, waiting)).stderr).toMatch(/its time was over/);
    await until('the guard is gone', () => findLeftovers(folder).length === 0);
  });

  it('reports a guard that ends before it can read its line', async () => {
    const waiting = startGuard(action(), at, () => {});
    waiting?.process.kill('SIGKILL');
    // Nobody here has heard of its end yet.
    while (isRunning(waiting?.process.pid ?? 0));
    expect(await run({}, {}, 0, waiting)).toEqual({ exit_code: null, stdout: '', stderr: '' });
  });

  it('is killed with all that belongs to it', async () => {
    writeFileSync(join(folder, 'iperf3'), '#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 0.1; done\n');
    chmodSync(join(folder, 'iperf3'), 0o755);
    const exited = new Promise<Exit>((resolve) => {
      const kill = runGuarded(action(), { ...at, env: { PATH: `${folder}:${process.env['PATH']}` } }, resolve);
      void until('iperf3 runs', () => existsSync(join(folder, 'iperf3.pid'))).then(() => kill('KILL'));
    });
    expect(await exited).toMatchObject({ exit_code: null });
    await until('nothing is left', () => findLeftovers(folder).length === 0);
  });
});

describe('what an earlier agent left', () => {
  it('is killed when it does not end by itself', async () => {
    const script = 'trap "" TERM; echo deaf; while :; do sleep 0.1; done';
    const child = spawn('sh', ['-c', script], { env: { ...process.env, PERFLEET_STATE: folder } });
    await once(child.stdout, 'data');
    expect(await endLeftovers(folder, systemClock)).toContain(child.pid);
    expect(findLeftovers(folder)).toEqual([]);
  });

  it('is killed at once when the agent is in a hurry', async () => {
    const child = spawn('sleep', ['60'], { env: { ...process.env, PERFLEET_STATE: folder } });
    await until('it runs', () => findLeftovers(folder).length > 0);
    process.kill(child.pid ?? 0, 'SIGSTOP'); // TERM has to wait
    await until('it is stopped', () => isStopped(child.pid ?? 0));
    const ended = once(child, 'exit');
    // The clock stands still: it would wait for ever.
    expect(await endLeftovers(folder, new ManualClock(), () => true)).toEqual([child.pid]);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  it('that does not end at all keeps the agent from starting', async () => {
    let now = 0;
    const child = spawn('sleep', ['60'], { env: { ...process.env, PERFLEET_STATE: folder } });
    await until('it runs', () => findLeftovers(folder).length > 0);
    process.kill(child.pid ?? 0, 'SIGSTOP'); // TERM has to wait
    await until('it is stopped', () => isStopped(child.pid ?? 0));
    const late = {
      ...systemClock,
      now: () => {
        now += 5_000;
        return now;
      },
    };
    await expect(endLeftovers(folder, late)).rejects.toThrow(/of an earlier agent do not end/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(() => signal(child.pid ?? 0, 'SIGTERM')).not.toThrow();
  });
});

describe('the check before a run', () => {
  it('finds iperf3 and addresses', async () => {
    expect(await iperf3Finder(process.env)()).toEqual({ iperf3: '3.12', error: null });
    expect((await iperf3Finder({})()).iperf3).toBe('3.12'); // on the system's own path
    expect(await resolveHost('localhost', systemClock)).toBeNull();
    expect(await resolveHost('::1%lo', systemClock)).toBeNull();
  });

  it('asks iperf3 for its version once, and again when there is another', async () => {
    const program = (says: string) =>
      writeFileSync(join(folder, 'iperf3'), `#!/bin/sh\necho asked >>"$0.asked"\necho "${says}"\n`, { mode: 0o755 });
    const asked = () => readFileSync(join(folder, 'iperf3.asked'), 'utf8').split('\n').length - 1;
    const find = iperf3Finder({ PATH: `${folder}/none:${folder}` });
    program('iperf 3.9');
    for (let time = 0; time < 3; time += 1) expect(await find()).toEqual({ iperf3: '3.9', error: null });
    expect(asked()).toBe(1);
    program('iperf 3.16');
    expect(await find()).toEqual({ iperf3: '3.16', error: null });
    program('nothing');
    for (let time = 0; time < 2; time += 1) expect((await find()).iperf3).toBeNull();
    expect(asked()).toBe(4);
    rmSync(join(folder, 'iperf3'));
    expect((await find()).error).toMatch(/ENOENT/);
  });

  it('says what is wrong', async () => {
    expect(await iperf3Finder({ PATH: folder })()).toEqual({ iperf3: null, error: 'spawn iperf3 ENOENT' });
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin', 'iperf3'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
    const env = { PATH: `${folder}/bin:${process.env['PATH']}` };
    expect(await iperf3Finder(env)()).toEqual({ iperf3: null, error: 'iperf3 --version shows no version' });
    expect(await resolveHost('name.invalid', systemClock)).toMatch(/ENOTFOUND|EAI_AGAIN/);
    const clock = new ManualClock();
    const answer = resolveHost('name.invalid', clock);
    clock.advance(2_000);
    expect(await answer).toBe('no answer within 2 s');
  });
});

describe('the edges', () => {
  it('a captured stream is cut at its limit', async () => {
    const stream = new PassThrough();
    const text = capture(stream, 5);
    stream.write('abc');
    stream.write('def');
    stream.end('ghi');
    await once(stream, 'end');
    expect(text()).toBe('abcde');
  });

  it('the log writes one line a message', () => {
    const lines: string[] = [];
    const log = lineLog((line) => lines.push(line));
    log.debug({}, 'no');
    log.info({}, 'hello');
    log.warn({ a: 1 }, 'careful');
    expect(lines).toEqual(['info hello\n', 'warn careful {"a":1}\n']);
  });

  it.each([
    [['--help'], 0, /^Usage: perfleet agent/, ''],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/, ''],
    [[], 2, '', /^--config FILE is missing\n\nUsage/],
    [['--nonsense'], 2, '', /^Unknown option '--nonsense'/],
    [['--config', '/nonexistent'], 1, '', /^\/nonexistent cannot be used/],
  ])('perfleet agent %j ends with %i', async (argv, code, out, err) => {
    const [stdout, stderr]: [string[], string[]] = [[], []];
    const io = {
      stdout: (text: string) => void stdout.push(text),
      stderr: (text: string) => void stderr.push(text),
      clock: systemClock,
      random: Math.random,
      onStop: () => {},
    };
    expect(await runAgent(argv, process.env, io)).toBe(code);
    expect(stdout.join('')).toMatch(out);
    expect(stderr.join('')).toMatch(err);
  });

  it('perfleet agent stops when it is asked to', async () => {
    const file = join(folder, 'agent.json');
    writeFileSync(file, JSON.stringify({ device: 'd', broker: 'mqtt://127.0.0.1:1', state: join(folder, 'state') }));
    const io = {
      stdout: () => {},
      stderr: () => {},
      clock: systemClock,
      random: Math.random,
      onStop: (stop: () => void) => stop(),
    };
    expect(await runAgent(['--config', file], process.env, { ...io, onStop: (stop) => setImmediate(stop) })).toBe(0);
  });
});
