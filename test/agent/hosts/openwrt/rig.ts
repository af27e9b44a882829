import './ucode.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { makeFolders, type Shell } from '../../../../agent/hosts/openwrt/shell.ts';
import { isRunning } from '../../../helpers/processes.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const environmentOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // gone
  }
};

/** What runs with an agent's mark that begins like this. */
export const marked = (mark: string): number[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(`PERFLEET_STATE=${mark}`))
    .map(Number)
    .filter(isRunning);

/** The state folder of an agent, which leaves nothing running. */
export const stateFolder = (): string => {
  const state = join(tempFolder(), 'state');
  onTestFinished(() => {
    for (const pid of marked(`${state};`)) process.kill(pid, 'SIGKILL');
  });
  return state;
};

/** A start of an agent, with fifos of these names. */
export const makeShell = (names: readonly string[], state = stateFolder(), boot = 'boot-1'): Shell => {
  const shell = { state, boot, folder: join(state, `run-${boot}`) };
  expect(makeFolders(shell, names)).toBe(true);
  return shell;
};
