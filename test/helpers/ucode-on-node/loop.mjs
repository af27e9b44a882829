// @ts-check
import { spawn } from 'node:child_process';
import { clearTimeout, setTimeout } from 'node:timers';
import { stdioFor } from './files.mjs';
import { toUtf8 } from './text.mjs';

/** What is still to be told; each ends by being called. @type {Set<() => void>} */
const pending = new Set();

/** @param {() => void} stop */
const keep = (stop) => {
  const end = () => {
    if (pending.delete(end)) stop();
  };
  pending.add(end);
  return end;
};

/** Whether something is still to come. */
export const isLooping = () => pending.size > 0;

/** ucode's module `uloop`, of 22.03, but that `run` returns at once: JavaScript's own loop is what runs. */
export const loop = {
  ULOOP_READ: 1,
  ULOOP_WRITE: 2,
  ULOOP_EDGE_TRIGGER: 4,
  ULOOP_BLOCKING: 8,
  init: () => true,
  run: () => 0,
  /** Nothing more is told. */
  end: () => {
    for (const end of [...pending]) end();
  },
  done: () => null,
  /** @param {number} ms @param {() => void} callback */
  timer: (ms, callback) => {
    const timer = setTimeout(() => {
      cancel();
      callback();
    }, ms);
    const cancel = keep(() => clearTimeout(timer));
    return { cancel };
  },
  /** @param {import('./files.mjs').UcodeFile} file @param {() => void} callback @param {number} _flags */
  handle: (file, callback, _flags) => ({ delete: keep(file.watch(callback)) }),
  /** @param {string} program @param {string[]} args @param {Record<string, string>} env @param {(code: number) => void} callback */
  process: (program, args, env, callback) => {
    const child = spawn(program, args.map(toUtf8), { env: { ...env }, stdio: stdioFor(1) });
    const end = keep(() => child.removeAllListeners('exit').unref());
    child.on('exit', (code) => {
      end();
      callback(code ?? 0);
    });
    return { pid: () => child.pid, delete: end };
  },
};
