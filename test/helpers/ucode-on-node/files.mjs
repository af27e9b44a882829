// @ts-check
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { Socket } from 'node:net';
import { fromBytes, toBytes, toUtf8 } from './text.mjs';

/** Open files that programs inherit, those without `e` in their mode, and their numbers there: small ones, as sh knows no others. @type {Map<number, number>} */
const inherited = new Map();

/** @param {number} fd */
const inherit = (fd) => {
  const taken = [...inherited.values()];
  let number = 3;
  while (taken.includes(number)) number += 1;
  inherited.set(fd, number);
};

/** The stdio of a program. @param {number | 'pipe'} stdout @returns {(number | 'pipe' | 'ignore')[]} */
export const stdioFor = (stdout) => {
  /** @type {(number | 'pipe' | 'ignore')[]} */
  const stdio = [0, stdout, 2];
  for (const [fd, number] of inherited) {
    while (stdio.length < number) stdio.push('ignore');
    stdio[number] = fd;
  }
  return stdio;
};

/** @template T @param {() => T} act @returns {T | null} null when it fails, as in ucode */
const attempt = (act) => {
  try {
    return act();
  } catch {
    return null;
  }
};

/** @param {() => void} act */
const done = (act) => attempt(() => act() === undefined);

/** The bytes that can be had at once; null when there may be more later. @param {number} fd @param {number} size */
const readNow = (fd, size) => {
  try {
    const buffer = Buffer.alloc(size);
    return buffer.subarray(0, fs.readSync(fd, buffer));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EAGAIN') return null;
    throw error;
  }
};

const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);

/** A file, or the stdout of a program. Reading waits, until it is watched: from then on it gives what has come. */
export class UcodeFile {
  #fd;
  /** @type {Socket | null} */
  #socket;
  #rest = '';
  #ended = false;
  /** From `watch` on; null while nobody listens. @type {{ onReadable: (() => void) | null } | null} */
  #watch = null;
  #written = '';
  #open = true;

  /** @param {number} fd @param {Socket | null} socket of the program */
  constructor(fd, socket = null) {
    this.#fd = fd;
    this.#socket = socket === null ? null : this.#hear(socket);
  }

  fileno() {
    return inherited.get(this.#fd) ?? this.#fd;
  }

  /** @param {'line' | 'all' | number} what @returns {string | null} */
  read(what) {
    if (!this.#open) return null;
    let size = this.#sizeOf(what);
    while (this.#watch === null && !this.#ended && size > this.#rest.length) {
      const bytes = readNow(this.#fd, 4096);
      if (bytes === null) pause();
      else if (bytes.length === 0) this.#ended = true;
      else this.#rest += fromBytes(bytes);
      size = this.#sizeOf(what);
    }
    const text = this.#rest.slice(0, size);
    this.#rest = this.#rest.slice(size);
    return text;
  }

  /** @param {'line' | 'all' | number} what */
  #sizeOf(what) {
    if (typeof what === 'number') return what;
    return what === 'line' && this.#rest.includes('\n') ? this.#rest.indexOf('\n') + 1 : Number.POSITIVE_INFINITY;
  }

  /** It leaves with `flush` and `close`. @param {string} text */
  write(text) {
    this.#written += text;
    return text.length;
  }

  /** What a fifo cannot take is lost. Null, as in 22.03, also when it went well. */
  flush() {
    const bytes = toBytes(this.#written);
    this.#written = '';
    return attempt(() => {
      for (let sent = 0; sent < bytes.length; ) sent += fs.writeSync(this.#fd, bytes, sent);
      return null;
    });
  }

  close() {
    if (!this.#open) return null;
    this.flush();
    this.#open = false;
    inherited.delete(this.#fd);
    if (this.#socket === null) fs.closeSync(this.#fd);
    else this.#socket.destroy();
    return true;
  }

  /**
   * Calls `onReadable` as long as there is something to read, and at the end. Returns what ends that. Nothing is read before this turn of
   * JavaScript's loop is over: somebody else may be about to.
   * @param {() => void} onReadable
   */
  watch(onReadable) {
    const own = { onReadable: /** @type {(() => void) | null} */ (onReadable) };
    this.#watch = own;
    setImmediate(() => {
      if (own.onReadable === null || !this.#open) return;
      this.#socket ??= this.#hear(new Socket({ fd: this.#fd }));
      this.#socket.resume().ref();
      if (this.#rest !== '' || this.#ended) this.#tell();
    });
    return () => {
      own.onReadable = null;
      this.#socket?.pause().unref();
    };
  }

  /** At once: Node.js lets a stream flow when its program has ended. @param {Socket} socket */
  #hear(socket) {
    const onEnd = () => {
      this.#ended = true;
      this.#tell();
    };
    const onData = (/** @type {Buffer} */ bytes) => {
      this.#rest += fromBytes(bytes);
      this.#tell();
    };
    return socket.pause().on('data', onData).on('end', onEnd).on('error', onEnd);
  }

  #tell() {
    const { length } = this.#rest;
    this.#watch?.onReadable?.();
    if (this.#rest !== '' && this.#rest.length < length) setImmediate(() => this.#tell());
  }
}

/** @param {string} path @param {string} [mode] */
const open = (path, mode = 'r') =>
  attempt(() => {
    // Of a fifo neither reading nor writing waits for the other side.
    const { O_RDWR, O_NONBLOCK } = fs.constants;
    const fd = fs.openSync(toBytes(path), mode.startsWith('r+') ? O_RDWR | O_NONBLOCK : mode.replace('e', ''));
    if (!mode.includes('e')) inherit(fd);
    return new UcodeFile(fd);
  });

/** @param {string} command */
const popen = (command) => {
  const child = spawn('/bin/sh', ['-c', toUtf8(command)], { stdio: stdioFor('pipe') });
  child.unref();
  const socket = /** @type {Socket & { _handle: { fd: number } }} */ (child.stdout);
  return new UcodeFile(socket._handle.fd, socket);
};

/** As ucode counts: what a full disk did not take, too. @param {string} path @param {string} text */
const writefile = (path, text) =>
  attempt(() => {
    const fd = fs.openSync(toBytes(path), 'w');
    attempt(() => fs.writeFileSync(fd, toBytes(text)));
    fs.closeSync(fd);
    return text.length;
  });

/** ucode's module `fs`, of 22.03. */
export const files = {
  open,
  popen,
  fdopen: (/** @type {number} */ fd) => new UcodeFile(fd),
  stdin: new UcodeFile(0),
  /** @param {string} path */
  readfile: (path) => attempt(() => fromBytes(fs.readFileSync(toBytes(path)))),
  writefile,
  /** @param {string} from @param {string} to */
  rename: (from, to) => done(() => fs.renameSync(toBytes(from), toBytes(to))),
  /** @param {string} path */
  unlink: (path) => done(() => fs.unlinkSync(toBytes(path))),
  /** @param {string} path @param {number} [mode] */
  mkdir: (path, mode) => done(() => fs.mkdirSync(toBytes(path), mode)),
  /** @param {string} path */
  rmdir: (path) => done(() => fs.rmdirSync(toBytes(path))),
  /** @param {string} path @param {number} mode */
  chmod: (path, mode) => done(() => fs.chmodSync(toBytes(path), mode)),
  /** @param {string} path */
  readlink: (path) => attempt(() => fromBytes(fs.readlinkSync(toBytes(path)))),
  /** @param {string} path */
  access: (path) => done(() => fs.accessSync(toBytes(path))),
  /** @param {string} path */
  lsdir: (path) => attempt(() => fs.readdirSync(toBytes(path), 'latin1').sort()),
  /** @param {string} path */
  stat: (path) =>
    attempt(() => {
      const { mtimeMs, mode, size } = fs.statSync(toBytes(path));
      return { mtime: Math.trunc(mtimeMs / 1000), perm: mode & 0o777, size };
    }),
};
