import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { declaredNames, findProblems } from './walk.mjs';

const root = resolve(import.meta.dirname, '../..');
const sources = (folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(root, folder, name));
const declared = (name) => declaredNames(readFileSync(join(root, name), 'utf8'));

const HOST = join(root, 'agent/hosts/openwrt');

/** All that runs in ucode. The core runs in Node too. */
export const portable = [
  ...['agent/core', 'agent/iperf3', 'agent/hosts/openwrt'].flatMap(sources),
  ...['broker/contract/numbers.ts', 'broker/contract/topics.ts'].map((name) => join(root, name)),
];
const builtins = declared('agent/core/ucode.d.ts');
/** All that the host on OpenWrt may name without an import. */
export const hostBuiltins = [...builtins, ...declared('agent/hosts/openwrt/ucode.d.ts')];

/** What is outside the portable subset in a file, `file:line: reason`. @param {string} file @returns {string[]} */
export const checkFile = (file) => {
  const isPortable = (source) => portable.includes(resolve(dirname(file), source));
  const known = { builtins: file.startsWith(`${HOST}/`) ? hostBuiltins : builtins, isPortable };
  let problems;
  try {
    problems = findProblems(readFileSync(file, 'utf8'), known);
  } catch (error) {
    problems = [{ line: error.loc?.line ?? 1, reason: error.message }];
  }
  return problems.map(({ line, reason }) => `${relative(process.cwd(), file)}:${line}: ${reason}`);
};
