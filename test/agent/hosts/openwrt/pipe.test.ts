import './ucode.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readPipe } from '../../../../agent/hosts/openwrt/pipe.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { loop } from '../../../helpers/ucode-on-node/loop.mjs';
import { until } from '../../../helpers/until.ts';

it('a pipe that cannot be read has ended', async () => {
  const path = join(tempFolder(), 'file');
  writeFileSync(path, 'text');
  const file = fs.open(path, 're');
  file?.close();
  uloop.handle = (_, callback) => {
    loop.timer(0, callback);
    return null;
  };
  const heard: string[] = [];
  const end = { heard: false };
  if (file !== null)
    readPipe(
      file,
      (text) => heard.push(text),
      () => {
        end.heard = true;
      },
    );
  await until('it has ended', () => end.heard);
  expect(heard).toEqual([]);
});
