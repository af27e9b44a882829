// Before anything else: whoever imports the other host as well does not get its builtins.
import '../../../../agent/hosts/node/builtins.ts';
import { afterEach } from 'vitest';
import { builtins } from '../../../helpers/ucode-on-node/builtins.mjs';
import { files } from '../../../helpers/ucode-on-node/files.mjs';
import { loop } from '../../../helpers/ucode-on-node/loop.mjs';

/** What the host has written to stderr and stdout since the test began. */
export const said = { stderr: '', stdout: '' };

/** The globals of ucode, as the host on OpenWrt finds them; each test begins with these. */
const globals = {
  ...builtins,
  fs: { ...files },
  uloop: { ...loop },
  VERSION: '0.1.0',
  ARGV: [],
  warn: (text: string) => {
    said.stderr += text;
  },
  print: (text: string) => {
    said.stdout += text;
  },
};
Object.assign(globalThis, globals);

afterEach(() => {
  loop.end();
  Object.assign(globalThis, globals, { fs: { ...files }, uloop: { ...loop } });
  Object.assign(said, { stderr: '', stdout: '' });
});

/** For this test, files that cannot be had for real: what is in /proc. */
export const withFiles = (texts: Record<string, string>): void => {
  fs.readfile = (path) => texts[path] ?? files.readfile(path);
};
