import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { MARKED } from '../../../../agent/hosts/openwrt/shell.ts';
import { findProgram } from '../../../../controller/demo/find-program.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

it('BusyBox finds a process by its mark, wherever that is in the environment', async () => {
  const folder = tempFolder();
  const busybox = findProgram('busybox', process.env) ?? 'busybox';
  for (const name of ['grep', 'tr']) symlinkSync(busybox, join(folder, name));
  const child = spawn('sleep', ['30'], {
    stdio: 'ignore',
    env: { ...process.env, A: '1', PERFLEET_STATE: `${folder};boot;sub`, Z: '2' },
  });
  onTestFinished(() => void child.kill());
  await once(child, 'spawn');
  const find = (mark: string): string =>
    spawnSync(busybox, ['ash', '-c', `${MARKED}marked "$1"`, 'sh', mark], {
      encoding: 'utf8',
      env: { PATH: folder },
      timeout: 20_000,
    }).stdout;
  expect(find(`${folder};`)).toBe(`${child.pid}\n`);
  expect(find(`${folder};boot;`)).toBe(`${child.pid}\n`);
  expect(find(folder.slice(0, -1).concat(';'))).toBe('');
});
