import './ucode.ts';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Action, Exit } from '../../../../agent/core/io.ts';
import { createGuards, GUARD_NAMES } from '../../../../agent/hosts/openwrt/guards.ts';
import { Iperf3Server } from '../../../helpers/iperf3-server.ts';
import { isRunning } from '../../../helpers/processes.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { until } from '../../../helpers/until.ts';
import { makeShell, marked } from './rig.ts';

let server: Iperf3Server;
beforeAll(async () => {
  server = await Iperf3Server.start(process.env);
});
afterAll(() => server.end('SIGTERM'));

/** The guards of an agent, and how their iperf3 ended. */
const guardsOf = () => {
  const shell = makeShell(GUARD_NAMES);
  const exits = new Map<number, Exit>();
  const guards = createGuards(shell, 7, (key, exit) => exits.set(key, exit));
  const idle = () => until('no guard is left', () => marked(`${shell.state};`).length === 0);
  const pid = () => {
    const file = join(shell.folder, 'iperf3-1.pid');
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  };
  return {
    shell,
    exits,
    guards,
    idle,
    ended: (key: number) => until('it has ended', () => exits.get(key)),
    /** The pid of the iperf3 with key 1. */
    runs: () => until('iperf3 runs', () => (pid() > 0 && isRunning(pid()) ? pid() : null)),
  };
};

type Spawn = Extract<Action, { kind: 'spawn' }>;
const spawn = (key: number, duration_s: number, more: Partial<Spawn> = {}): Spawn => ({
  kind: 'spawn',
  key,
  argv: ['-c', '127.0.0.1', '-p', `${server.port}`, '-J', '-b', '1M', '-t', `${duration_s}`],
  env: {},
  key_file: null,
  until_ms: 60_000,
  ...more,
});
const arm = (key: number, duration_s = 1) => ({ ...spawn(key, duration_s), kind: 'arm' }) as const;

/** For this test, an iperf3 that is this script. */
const iperf3 = (script: string): void => {
  const bin = join(tempFolder(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'iperf3'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`);
};

describe('a guard', () => {
  it('that waits runs iperf3, nicely, when it is time', async () => {
    const { guards, ended, runs, idle } = guardsOf();
    guards.arm(arm(1));
    guards.spawn(spawn(1, 1), 0);
    const niceness = readFileSync(`/proc/${await runs()}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ')[16];
    expect(niceness).toBe('7');
    const exit = await ended(1);
    expect(exit).toMatchObject({ exit_code: 0, stderr: '' });
    expect(JSON.parse(exit.stdout)).toHaveProperty('end.sum_sent');
    await idle();
  });

  it('is started also when none waits; the key is there while it runs', async () => {
    const { guards, ended, shell } = guardsOf();
    const path = join(shell.folder, 'key.pem');
    iperf3(`cat ${path}; exit 3`);
    guards.spawn(spawn(1, 1, { key_file: { path, text: 'KEY' } }), 0);
    expect(await ended(1)).toEqual({ exit_code: 3, stdout: 'KEY', stderr: '' });
    expect(existsSync(path)).toBe(false);
  });

  it('hands over a password, whatever is in it, and shows it to nobody', async () => {
    iperf3('cat /proc/$$/cmdline /proc/$PPID/cmdline >&2; printf %s "$IPERF3_PASSWORD"');
    const { guards, ended } = guardsOf();
    const env = { IPERF3_PASSWORD: ` it's "$HOME" \\n ` };
    guards.arm({ ...arm(1), env });
    guards.spawn(spawn(1, 1, { env }), 0);
    const exit = await ended(1);
    expect(exit.stdout).toBe(env.IPERF3_PASSWORD);
    expect(exit.stderr).not.toContain('HOME');
  });

  it('keeps no more of the output than can be sent, as UTF-8', async () => {
    iperf3("head -c 700000 /dev/zero | tr '\\0' x; printf 'caf\\303\\251\\377' >&2; head -c 20000 /dev/zero >&2");
    const { guards, ended } = guardsOf();
    guards.spawn(spawn(1, 1), 0);
    const { stdout, stderr } = await ended(1);
    expect([stdout.length, stderr.length, stderr.slice(0, 6)]).toEqual([524_288, 16_384, 'cafÃ©?']);
  });

  it('whose files are taken away still says how it ended', async () => {
    const { guards, ended, shell } = guardsOf();
    iperf3(`rm -r ${shell.folder}; echo text`);
    guards.spawn(spawn(1, 1), 0);
    expect(await ended(1)).toEqual({ exit_code: null, stdout: 'text\n', stderr: '' });
  });

  it('that is not needed ends, and nothing is said', async () => {
    const { guards, exits, idle } = guardsOf();
    guards.arm(arm(1));
    guards.disarm(1);
    guards.disarm(2);
    await idle();
    expect(exits.size).toBe(0);
  });

  it('starts nothing when its time is over', async () => {
    const { guards, ended, idle } = guardsOf();
    const over = { exit_code: null, stdout: '', stderr: 'perfleet: not started: its time was over' };
    guards.arm(arm(1));
    guards.spawn(spawn(1, 1), 57_001);
    guards.spawn(spawn(2, 1), 70_000);
    expect([await ended(1), await ended(2)]).toEqual([over, over]);
    await idle();
  });

  it('ends iperf3 when it is told to', async () => {
    const { guards, ended, runs } = guardsOf();
    guards.spawn(spawn(1, 30), 0);
    const pid = await runs();
    guards.kill({ kind: 'kill', key: 2, signal: 'TERM' });
    guards.kill({ kind: 'kill', key: 1, signal: 'TERM' });
    expect(await ended(1)).toMatchObject({ exit_code: expect.any(Number), stderr: '' });
    expect(isRunning(pid)).toBe(false);
  });

  it('is killed with all that it started', async () => {
    const { guards, ended, idle, shell } = guardsOf();
    const file = join(shell.folder, 'started');
    iperf3(`trap '' TERM; echo started; : >${file}; while :; do sleep 1; done`);
    guards.spawn(spawn(1, 30), 0);
    await until('it runs', () => existsSync(file));
    guards.kill({ kind: 'kill', key: 1, signal: 'KILL' });
    expect(await ended(1)).toEqual({ exit_code: null, stdout: 'started\n', stderr: '' });
    await idle();
  });

  it('is refused while too many others are still ending', async () => {
    const { guards, ended } = guardsOf();
    for (const key of [1, 2, 3, 4, 5]) guards.arm(arm(key));
    guards.spawn(spawn(5, 1), 0);
    expect((await ended(5)).stderr).toBe('perfleet: not started: too many of them are still ending');
    for (const key of [1, 2, 3, 4]) guards.disarm(key);
    let key = 5;
    await until('there is room again', async () => {
      key += 1;
      guards.spawn(spawn(key, 1), 0);
      return (await ended(key)).exit_code === 0;
    });
  });
});
