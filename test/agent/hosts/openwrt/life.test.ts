import './ucode.ts';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLife } from '../../../../agent/hosts/openwrt/life.ts';
import { type Shell, start } from '../../../../agent/hosts/openwrt/shell.ts';
import { isRunning } from '../../../helpers/processes.ts';
import { until } from '../../../helpers/until.ts';
import { makeShell, marked } from './rig.ts';

const begin = (shell: Shell, begins = true) => {
  const heard = { ready: null as string | null, ended: false };
  const life = startLife(shell, begins, {
    onReady: (left) => {
      heard.ready = left;
    },
    onEnd: () => {
      heard.ended = true;
    },
  });
  return {
    heard,
    end: () => life.end(),
    kill: () => life.kill(),
    ready: () => until('the lock is held', () => heard.ready !== null),
    ended: () => until('it has ended', () => heard.ended),
  };
};

/** A program of this agent; gives its pid once it runs. */
const program = async (shell: Shell, script: string): Promise<number> => {
  const heard = { text: '' };
  const onText = (text: string) => {
    heard.text += text;
  };
  const child = start(shell, { name: 'some', script, args: [], fed: false, marked: true }, onText, () => {});
  await until('it runs', () => heard.text === 'here\n');
  return Number(child.pid());
};

it('one agent has the lock; the next one does not get it before all has ended', async () => {
  const shell = makeShell(['life']);
  const first = begin(shell);
  await first.ready();
  expect(first.heard.ready).toBe('');
  const other = makeShell(['life'], shell.state, 'boot-2');
  const refused = begin(other);
  await refused.ended();
  expect([refused.heard.ready, first.heard.ended]).toEqual([null, false]);

  const pid = await program(shell, 'echo here; exec sleep 60');
  first.end();
  await first.ended();
  expect([isRunning(pid), existsSync(shell.folder), existsSync(other.folder)]).toEqual([false, false, true]);
  const second = begin(other);
  await second.ready();
  second.end();
  await second.ended();
});

it('what an earlier agent left running is ended first, and its folder removed', async () => {
  const shell = makeShell(['life']);
  const stubborn = await program(shell, "trap '' TERM; echo here; while :; do sleep 1; done");
  const other = makeShell(['life'], shell.state, 'boot-2');
  mkdirSync(join(shell.state, 'results'));
  const life = begin(other);
  await life.ready();
  expect(life.heard.ready?.split(' ')).toContain(`${stubborn}`);
  expect(marked(`${shell.state};`)).toEqual([]);
  expect(['run-boot-1', 'run-boot-2', 'results'].map((name) => existsSync(join(shell.state, name)))).toEqual([
    false,
    true,
    true,
  ]);
  life.end();
  await life.ended();
}, 30_000);

it('a lock that is taken again leaves what runs alone', async () => {
  const shell = makeShell(['life']);
  const life = begin(shell);
  await life.ready();
  const pid = await program(shell, 'echo here; exec sleep 60');
  life.kill();
  await life.ended();
  const again = begin(shell, false);
  await again.ready();
  expect(isRunning(pid)).toBe(true);
  again.end();
  await again.ended();
  expect(isRunning(pid)).toBe(false);
});
