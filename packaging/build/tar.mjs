// @ts-check
import { dirname } from 'node:path';
import { gzipSync } from 'fflate';
import { Header } from 'tar';

const BLOCK = 512;

/** @typedef {{ path: string, mode: number, content?: string | Uint8Array }} Entry a file; a folder, whose path ends with a slash, has no content */

/** @param {Entry} entry @param {Date} mtime @returns {Buffer[]} */
const blocksOf = ({ path, mode, content }, mtime) => {
  const bytes = Buffer.from(content ?? '');
  const header = Buffer.alloc(BLOCK);
  const type = content === undefined ? 'Directory' : 'File';
  if (new Header({ path, mode, type, size: bytes.length, mtime, uid: 0, gid: 0 }).encode(header))
    throw new Error(`${path} is too long for tar`);
  return [header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
};

/**
 * A tar archive of just these entries, in their order, all owned by root.
 * @param {Entry[]} entries
 * @param {Date} mtime of all of them
 * @throws {Error} for a path that does not fit into a header
 */
export const tarOf = (entries, mtime) =>
  Buffer.concat([...entries.flatMap((entry) => blocksOf(entry, mtime)), Buffer.alloc(2 * BLOCK)]);

/**
 * The same bytes everywhere: zlib's depend on its version and on the CPU.
 * @param {Uint8Array} bytes
 */
export const gzip = (bytes) => Buffer.from(gzipSync(bytes, { level: 9, mtime: 0 }));

/**
 * Files below `./`, each after the folders that it is in, sorted by path.
 * @param {Entry[]} files with absolute paths; folders among them keep their mode, all others get 755
 * @returns {Entry[]}
 */
export const withFolders = (files) => {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  for (const file of files) {
    const path = `.${file.path}`;
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder))
      if (!entries.has(`${folder}/`)) entries.set(`${folder}/`, { path: `${folder}/`, mode: 0o755 });
    entries.set(path, { ...file, path });
  }
  entries.set('./', { path: './', mode: 0o755 });
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
};
