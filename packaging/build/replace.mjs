// @ts-check
import { chmodSync, renameSync, writeFileSync } from 'node:fs';

/** Writes a file that appears whole: whoever reads it meanwhile gets the old one or the new one. @param {string} file @param {string | Uint8Array} contents @param {number} mode */
export const replace = (file, contents, mode) => {
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, contents);
  chmodSync(aside, mode);
  renameSync(aside, file);
};
