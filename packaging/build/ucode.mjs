// @ts-check
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parse } from '@babel/parser';
import { transformSync } from 'esbuild';
import { checkFile, hostBuiltins } from '../portable-subset/portable.mjs';
import { root } from '../root.mjs';

/** ucode's modules, as the sources name them. ucode of 22.03 has no `slice`. */
const HEADER = `'use strict';
const fs = require('fs');
const uloop = require('uloop');
function slice(list, start, end) { return filter(list, (_, i) => i >= start && (end == null || i < end)); }
`;

const OPTIONS = /** @type {const} */ ({
  loader: 'ts',
  target: 'esnext',
  format: 'esm',
  legalComments: 'none',
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
});

/**
 * What JavaScript and ucode read differently. esbuild writes 5000 as 5e3, which is no integer in ucode: it is written out. In ucode `a?.b.c`
 * fails when a is null: it becomes `a?.b?.c`.
 * @param {string} text
 */
const forUcode = (text) => {
  /** @type {{ start: number, end: number, by: string }[]} */
  const edits = [];
  /** @param {any} node */
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) return node.forEach(visit);
    const insert = (/** @type {number} */ at, /** @type {string} */ by) => edits.push({ start: at, end: at, by });
    if (node.type === 'NumericLiteral' && node.extra.raw.includes('e'))
      edits.push({ start: node.start, end: node.end, by: `${node.value}` });
    if (node.type === 'OptionalMemberExpression' && !node.optional)
      if (node.computed) insert(text.indexOf('[', node.object.end), '?.');
      else insert(text.indexOf('.', node.object.end), '?');
    if (node.type === 'OptionalCallExpression' && !node.optional) insert(text.indexOf('(', node.callee.end), '?.');
    for (const [key, value] of Object.entries(node)) if (key !== 'loc' && key !== 'extra') visit(value);
  };
  visit(parse(text, { sourceType: 'module' }).program);
  let whole = text;
  for (const { start, end, by } of edits.sort((a, b) => b.start - a.start))
    whole = `${whole.slice(0, start)}${by}${whole.slice(end)}`;
  return whole;
};

/** Without what only people need, but line ends: an error says where it is. @param {string} text */
const withoutIndent = (text) => {
  const kept = parse(text, { tokens: true }).tokens?.filter(({ type }) => type.label === 'template') ?? [];
  return text.replace(/\n +/g, (space, /** @type {number} */ at) =>
    kept.some(({ start, end }) => start <= at && at < end) ? space : '\n',
  );
};

/** The names that a file declares at its top level, and their lines. @param {string} source @returns {[name: string, line: number][]} */
const topNames = (source) =>
  source.split('\n').flatMap((line, index) => {
    const name = /^(?:export )?(?:const|let|function) (\w+)/.exec(line)?.[1];
    return name === undefined ? [] : [[name, index + 1]];
  });

/**
 * The program that `entry` is, as one file for ucode: types and comments are stripped, imports become files above, integers stay integers.
 * @param {string} entry relative to the repository
 * @param {string} version of the agent
 * @returns {string}
 * @throws {Error} with file and line of all that is outside the portable subset, or does not become one scope
 */
export const bundleForUcode = (entry, version) => {
  /** @type {Map<string, string>} */
  const parts = new Map();
  /** @type {string[]} */
  const problems = [];
  /** @type {Map<string, string>} All files are one scope. */
  const names = new Map(hostBuiltins.map((name) => [name, 'ucode']));
  /** @param {string} file */
  const visit = (file) => {
    if (parts.has(file)) return;
    parts.set(file, '');
    problems.push(...checkFile(file));
    const source = readFileSync(file, 'utf8');
    for (const [name, line] of topNames(source)) {
      const where = `${relative(process.cwd(), file)}:${line}`;
      if (names.has(name)) problems.push(`${where}: "${name}" is in ${names.get(name)} too: all files are one scope`);
      names.set(name, where);
    }
    const { code } = transformSync(source, { ...OPTIONS, sourcefile: relative(process.cwd(), file) });
    const body = forUcode(code)
      .replace(/^import\s+\{[^}]*\}\s+from\s+"([^"]+)";\n/gm, (_, path) => {
        if (path.startsWith('.')) visit(resolve(dirname(file), path));
        return '';
      })
      .replace(/^export\s+\{[^}]*\};?\n/gm, '')
      .replace(/^export /gm, '');
    // A Map keeps its order: what is imported stands before who imports it.
    parts.delete(file);
    parts.set(file, withoutIndent(body));
  };
  visit(join(root, entry));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const bodies = [...parts].map(([file, body]) => `// ${relative(root, file)}\n${body}`);
  return `${HEADER}const VERSION = ${version};\n${bodies.join('')}`;
};
