import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ramFolder } from '../../../controller/demo/ram-folder.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

test('the folder is in memory where that is mounted, and among the temporary files elsewhere', () => {
  const memory = tempFolder();
  const folders = [ramFolder('perfleet-test-', memory), ramFolder('perfleet-test-', join(memory, 'not-mounted'))];
  onTestFinished(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  expect(folders.map(existsSync)).toEqual([true, true]);
  expect(folders.map(dirname)).toEqual([memory, tmpdir()]);
});
