// @ts-check
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parse } from '@babel/parser';
import { transformSync } from 'esbuild';
import { checkFile } from '../portable-subset/portable.mjs';
import { root } from '../root.mjs';

/** ucode's modules, as the sources name them; UCI is for routers only. ucode of 22.03 has no `slice`. */
const HEADER = `'use strict';
const fs = require('fs');
const uloop = require('uloop');
let uci = null;
try { uci = require('uci'); } catch (e) {}
function slice(list, start, end) { return filter(list, (_, i) => i >= start && (end == null || i < end)); }
`;

const OPTIONS = /** @type {const} */ ({
  loader: 'ts',
  target: 'esnext',
  format: 'esm',
  legalComments: 'none',
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
});

/** esbuild writes 5000 as 5e3, which is no integer in ucode: writes it out. @param {string} text */
const withIntegers = (text) => {
  let whole = text;
  const { tokens } = parse(text, { sourceType: 'module', tokens: true });
  for (const { type, start, end, value } of (tokens ?? []).reverse())
    if (type.label === 'num' && /e/.test(text.slice(start, end)))
      whole = `${whole.slice(0, start)}${value}${whole.slice(end)}`;
  return whole;
};

/**
 * The program that `entry` is, as one file for ucode: types and comments are stripped, imports become files above, integers stay integers.
 * @param {string} entry relative to the repository
 * @param {string} version of the agent
 * @returns {string}
 * @throws {Error} with file and line of all that is outside the portable subset
 */
export const bundleForUcode = (entry, version) => {
  /** @type {Map<string, string>} */
  const parts = new Map();
  /** @type {string[]} */
  const problems = [];
  /** @type {Map<string | undefined, string>} All files are one scope. */
  const names = new Map();
  /** @param {string} file */
  const visit = (file) => {
    if (parts.has(file)) return;
    parts.set(file, '');
    problems.push(...checkFile(file));
    const { code } = transformSync(readFileSync(file, 'utf8'), OPTIONS);
    const body = withIntegers(code)
      .replace(/^import\s+\{[^}]*\}\s+from\s+"([^"]+)";\n/gm, (_, path) => {
        visit(resolve(dirname(file), path));
        return '';
      })
      .replace(/^export\s+\{[^}]*\};?\n/gm, '')
      .replace(/^export /gm, '');
    for (const [, name] of body.matchAll(/^(?:const|let|function) (\w+)/gm)) {
      if (names.has(name)) problems.push(`${relative(root, file)}: "${name}" is in ${names.get(name)} too`);
      names.set(name, relative(root, file));
    }
    // A Map keeps its order: what is imported stands before who imports it.
    parts.delete(file);
    parts.set(file, body);
  };
  visit(join(root, entry));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const bodies = [...parts].map(([file, body]) => `// ${relative(root, file)}\n${body}`);
  return `${HEADER}const VERSION = ${version};\n${bodies.join('')}`;
};
