import './ucode.ts';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolders, type Program, quote, type Shell, start } from '../../../../agent/hosts/openwrt/shell.ts';
import { isRunning } from '../../../helpers/processes.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { files } from '../../../helpers/ucode-on-node/files.mjs';
import { until } from '../../../helpers/until.ts';
import { makeShell } from './rig.ts';

/** Starts a script and keeps what it says. */
const run = (shell: Shell, script: string, more: Partial<Program> = {}) => {
  const heard = { text: '', ends: 0 };
  const child = start(
    shell,
    { name: 'one', script, args: [], fed: false, marked: true, ...more },
    (text) => {
      heard.text += text;
    },
    () => {
      heard.ends += 1;
    },
  );
  return { child, heard, ended: () => until('it has ended', () => heard.ends > 0) };
};

describe('a program', () => {
  it('is heard as it prints, and once when it has ended', async () => {
    const { heard, child, ended } = run(makeShell(['one']), 'printf "%s|" "$@"', {
      args: ["it's", 'two\nlines', '$HOME', ''],
    });
    expect(child.pid()).toBeNull();
    await ended();
    expect(heard).toEqual({ text: "it's|two\nlines|$HOME||", ends: 1 });
    expect(Number(child.pid())).toBeGreaterThan(1);
  });

  it('may print a lot', async () => {
    const { heard, ended } = run(makeShell(['one']), 'head -c 1000000 /dev/zero | tr "\\0" x');
    await ended();
    expect(heard.text).toBe('x'.repeat(1_000_000));
  });

  it('bears the mark of the agent, if it is to, and finds its secrets beside it', async () => {
    const shell = makeShell(['one']);
    const [one, other] = [true, false].map((marked) =>
      run(shell, 'echo "$PERFLEET_STATE $XDG_CONFIG_HOME"', { marked, name: 'one' }),
    );
    await one?.ended();
    await other?.ended();
    expect([one?.heard.text, other?.heard.text]).toEqual([
      `${shell.state};boot-1;one ${shell.folder}\n`,
      ` ${shell.folder}\n`,
    ]);
  });

  it('without a stdin reads nothing', async () => {
    const { heard, child, ended } = run(makeShell(['one']), 'cat; echo end');
    child.write('lost');
    child.end();
    await ended();
    expect(heard.text).toBe('end\n');
  });

  it('reads what it is fed, to the end', async () => {
    const { heard, child, ended } = run(makeShell(['one']), 'cat', { fed: true });
    child.write('a');
    await until('it has read that', () => heard.text === 'a');
    child.write('b');
    child.end();
    child.end();
    await ended();
    child.write('c');
    expect(heard).toEqual({ text: 'ab', ends: 1 });
  });

  it('that does not read is not waited for: what is too much is lost', async () => {
    const { child, ended } = run(makeShell(['one']), 'exec sleep 60', { fed: true });
    child.write('x'.repeat(1_000_000));
    child.kill();
    await ended();
  });

  it('whose fifo is gone reads nothing', async () => {
    const shell = makeShell(['one']);
    rmSync(join(shell.folder, 'one.fifo'));
    const { child, ended } = run(shell, 'cat', { fed: true });
    child.write('lost');
    await ended();
  });

  it('is killed, also before it has begun, and not when it has ended', async () => {
    const shell = makeShell(['one']);
    const [early, late] = [run(shell, 'exec sleep 60'), run(shell, 'echo here; exec sleep 60')];
    early.child.kill();
    await early.ended();
    expect(early.heard.ends).toBe(1);
    await until('the other one runs', () => late.heard.text === 'here\n');
    expect(isRunning(Number(late.child.pid()))).toBe(true);
    late.child.kill();
    await late.ended();
    late.child.kill();
    expect(isRunning(Number(late.child.pid()))).toBe(false);
  });

  it('is heard when it says its pid and more in odd pieces', async () => {
    fs.popen = () => files.popen("printf 12; sleep 0.2; printf '34\\nand more'");
    const { child, heard, ended } = run(makeShell(['one']), '');
    await ended();
    expect([child.pid(), heard.text]).toEqual(['1234', 'and more']);
  });

  it('that cannot be started has ended', async () => {
    fs.popen = () => null;
    const { ended } = run(makeShell(['one']), '');
    await ended();
  });
});

describe('the folders', () => {
  it('are for nobody else', () => {
    const { state, folder } = makeShell(['one']);
    expect([state, folder].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
    expect(statSync(join(folder, 'one.fifo')).isFIFO()).toBe(true);
  });

  it('cannot be made below a file', () => {
    const state = join(tempFolder(), 'file');
    writeFileSync(state, '');
    expect(makeFolders({ state, boot: 'b', folder: join(state, 'run-b') }, ['one'])).toBe(false);
  });
});

it('a word of a command is quoted', () => {
  expect(quote(`it's "$x"`)).toBe(`'it'\\''s "$x"'`);
});
