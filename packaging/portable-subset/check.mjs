/**
 * Refuses what is outside the portable subset: `node packaging/portable-subset/check.mjs [FILE…]`, without files all that runs on both
 * hosts. One line a finding, `file:line: reason`; exit code 1 if there is one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { declaredNames, findProblems } from './walk.mjs';

const root = resolve(import.meta.dirname, '../..');
const sources = (folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(root, folder, name));

const portable = [
  ...['agent/core', 'agent/iperf3'].flatMap(sources),
  ...['broker/contract/numbers.ts', 'broker/contract/topics.ts'].map((name) => join(root, name)),
];
const builtins = declaredNames(readFileSync(join(root, 'agent/core/ucode.d.ts'), 'utf8'));
const files = process.argv.length > 2 ? process.argv.slice(2).map((name) => resolve(name)) : portable;

let findings = 0;
for (const file of files) {
  const isPortable = (source) => portable.includes(resolve(dirname(file), source));
  let problems;
  try {
    problems = findProblems(readFileSync(file, 'utf8'), { builtins, isPortable });
  } catch (error) {
    problems = [{ line: error.loc?.line ?? 1, reason: error.message }];
  }
  for (const { line, reason } of problems) console.log(`${relative(process.cwd(), file)}:${line}: ${reason}`);
  findings += problems.length;
}
if (findings > 0) console.log(`${findings} outside the portable subset`);
process.exitCode = findings > 0 ? 1 : 0;
