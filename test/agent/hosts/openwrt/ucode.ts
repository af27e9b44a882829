// Before anything else: whoever imports the other host as well does not get its builtins.
import '../../../../agent/hosts/node/builtins.ts';
import { afterEach, vi } from 'vitest';
import { builtins } from '../../../helpers/ucode-on-node/builtins.mjs';
import { files } from '../../../helpers/ucode-on-node/files.mjs';
import { loop } from '../../../helpers/ucode-on-node/loop.mjs';

/** What the host has written to stderr and stdout, and the exit codes it asked for, since the test began. */
export const said = { stderr: '', stdout: '', exits: [] as number[] };

/** What the host has opened. */
const opened: UcodeFile[] = [];

const kept = (file: UcodeFile | null): UcodeFile | null => {
  if (file !== null) opened.push(file);
  return file;
};

/** ucode's files; all that was opened is closed after the test. */
const ownFiles = () => ({
  ...files,
  open: (path: string, mode: string) => kept(files.open(path, mode)),
  popen: (command: string) => kept(files.popen(command)),
});

/** The globals of ucode, as the host on OpenWrt finds them; each test begins with these. */
const globals = {
  ...builtins,
  fs: ownFiles(),
  uloop: { ...loop },
  VERSION: '0.1.0',
  ARGV: [],
  warn: (text: string) => {
    said.stderr += text;
  },
  print: (text: string) => {
    said.stdout += text;
  },
  exit: (code: number) => {
    said.exits.push(code);
  },
};
Object.assign(globalThis, globals);

afterEach(() => {
  loop.end();
  vi.unstubAllEnvs();
  for (const file of opened.splice(0)) file.close();
  Object.assign(globalThis, globals, { fs: ownFiles(), uloop: { ...loop } });
  Object.assign(said, { stderr: '', stdout: '', exits: [] });
});

/** For this test, files that cannot be had for real: what is in /proc. */
export const withFiles = (texts: Record<string, string>): void => {
  fs.readfile = (path) => texts[path] ?? files.readfile(path);
};

/** For this test, there is no room: files can be made, and stay empty. */
export const fillDisk = (): void => {
  fs.writefile = (path, text) => (files.writefile(path, '') === null ? null : text.length);
};

/** For this test, time passes this much faster for the host; a program does not know. */
export const hurry = (factor: number): void => {
  const started = builtins.clock();
  uloop.timer = (ms, callback) => loop.timer(ms / factor, callback);
  Object.assign(globalThis, {
    clock: () => {
      const [s = 0, ns = 0] = builtins.clock();
      const ms = factor * (1000 * (s - (started[0] ?? 0)) + (ns - (started[1] ?? 0)) / 1e6);
      return [Math.trunc(ms / 1000), Math.trunc(1e6 * (ms % 1000))];
    },
  });
};
