import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CHECK = 'packaging/portable-subset/check.mjs';

const refused: [string, string][] = [
  ['var a = 1;', '"var": use const or let'],
  ['const { a } = { a: 1 };', 'destructuring: take the parts one by one'],
  ['const [a] = [1];', 'destructuring: take the parts one by one'],
  ['let a = 1; [a] = [2];', 'destructuring: take the parts one by one'],
  ['const f = ({ a }) => a;', 'destructuring: take the parts one by one'],
  ['const f = (a = 1) => a;', 'a default parameter: use ??'],
  [
    'const f = (a: number) => { if (a) { while (a < 2) a += 1; } };',
    'an arrow function that ends with a loop, on which ucode of 22.03 fails: write a function',
  ],
  [
    'const f = (a: number) => { if (a) { for (; a < 2; ) a += 1; } else {} };',
    'an arrow function that ends with a loop, on which ucode of 22.03 fails: write a function',
  ],
  ['for (const a of []) {}', 'ForOfStatement: not in the portable subset'],
  ['for (const a in {}) {}', 'ForInStatement: not in the portable subset'],
  ['do {} while (true);', 'DoWhileStatement: not in the portable subset'],
  ['class A {}', 'ClassDeclaration: not in the portable subset'],
  ['const a = new Map();', 'NewExpression: not in the portable subset'],
  ['throw 1;', 'ThrowStatement: not in the portable subset'],
  ['const a = typeof 1;', '"typeof": ucode has none, use type() and null'],
  ['const a = void 0;', '"void": ucode has none, use type() and null'],
  ['const a = undefined;', '"undefined" is neither declared above nor a builtin of ucode'],
  ['const a = JSON;', '"JSON" is neither declared above nor a builtin of ucode'],
  ['const f = async () => 1;', 'async: ucode has no promises'],
  ['function* f() {}', 'a generator'],
  ['const a = [1].length;', '".length": use length()'],
  ["const a = ''?.length;", '".length": use length()'],
  ['const a = [1].map(int);', '".map()": values have no methods in ucode, use a builtin'],
  ["const a = 'x'?.trim();", '".trim()": values have no methods in ucode, use a builtin'],
  ["const a = 'x' in {};", '"in": means something else in ucode, or nothing'],
  ['const a = null === 2;', '"===" with null: use "==", as Node has undefined'],
  ['const a = 1 == 2;', '"==" only with null: use "==="'],
  ['const a = 1 >>> 2;', '">>>": means something else in ucode, or nothing'],
  ['let a = 1; a >>>= 2;', '">>>=": means something else in ucode, or nothing'],
  ['declare const a: number;', '"declare": it is not there at run time'],
  ['const a = b; const b = 1;', '"b" is neither declared above nor a builtin of ucode'],
  ['const f = () => g(); const g = () => 1;', '"g" is neither declared above nor a builtin of ucode'],
  ['const f = () => f();', '"f" is neither declared above nor a builtin of ucode'],
  ['let from = 1;', '"from": a keyword of ucode'],
  ['const f = (elif) => 1;', '"elif": a keyword of ucode'],
  [
    'for (let i = 0; i < 2; i++) { const f = () => i; }',
    '"i" is one variable for all rounds in ucode: copy it into a const inside',
  ],
  ['{ const a = 1; }\nconst b = a;', '"a" is neither declared above nor a builtin of ucode'],
  ['try {} finally {}', '"finally": ucode has none'],
  ['try {} catch ({ a }) {}', 'destructuring'],
  ['a: while (true) { break a; }', 'LabeledStatement: not in the portable subset'],
  ['while (true) { break a; }', 'Unsyntactic break. (1:15)'],
  ['const a = [1, , 2];', 'a hole in an array'],
  ['const a = { 1: 2 };', 'a key that is neither name nor text'],
  ['const a = { get b() { return 1; } };', 'ObjectMethod: not in the portable subset'],
  ['const a = 1n;', 'BigIntLiteral: not in the portable subset'],
  ['const a = this;', 'ThisExpression: not in the portable subset'],
  ['const a = (1, 2);', 'SequenceExpression: not in the portable subset'],
  ['const f = (a: string | null) => a!;', 'TSNonNullExpression: not in the portable subset'],
  ['enum A { B }', 'TSEnumDeclaration: not in the portable subset'],
  ['const a = match("", /(?:x)/);', 'a group with "(?": POSIX has none'],
  ['const a = match("", /\\d/);', 'an escape with a letter or digit: write the class out, as [0-9]'],
  ['const a = match("", /x[a-z/]/);', 'a "/" in a class: ucode ends the expression there'],
  ['const a = match("", /x[^\\]]/);', 'a "\\" in a class: POSIX takes it for itself'],
  ['const a = match("", /[^]/);', 'an empty class: POSIX takes the "]" as its first character'],
  ['const a = match("", /a/u);', 'regular expression flags "u"'],
  ["import fs from 'node:fs';", 'ImportDefaultSpecifier: import by name'],
  ["import { join } from 'node:path';", '"node:path" is not portable: import its types only'],
  ["import { a as b } from './x.ts';", 'another name: all files are one scope'],
  ['const a = 1; export { a as b };', 'another name: all files are one scope'],
  ["import './x.ts';", '"./x.ts" is not portable: import its types only'],
  ["export { a } from './x.ts';", 're-export: import it where it is needed'],
  ['export default 1;', 'ExportDefaultDeclaration: not in the portable subset'],
  ['const a = import("x");', 'Import: not in the portable subset'],
];

const allowed = `
import type { Log } from './elsewhere.ts';
import { type Clock } from './elsewhere.ts';
interface Point { x: number; length: number }
type Maybe<T> = T | null;
export const first = <T>(list: readonly T[], ...more: T[]): Maybe<T> => list[0] ?? more[0] ?? null;
function depth(point: Point | null): number { return point == null ? 0 : 1 + depth(null); }
export const go = (log: Log, clock: Clock): string => {
  let text = \`\${depth(null)}\`;
  for (let i = 0; i < length(text); i++) if (i === 3) break; else continue;
  for (let i = 0; i < 2; i++) { const at = i; const f = () => at; }
  while (false) text += 'x';
  const point = { x: 1, 'length': 2, [text]: 3, ...{ y: 4 } };
  const f = function (a: number) { return -a; };
  switch (point.x) { case 1: { f(1); break; } default: text = first([...[text]]) ?? ''; }
  try { log.level.write(point['length']); } catch (e) { text = e as string; }
  try { clock?.now?.(); } catch { text = match(text, /^\\[[a-z.]+\\/$/gi)?.[0] satisfies string; }
  return text;
};
export { depth };
`;

const folder = mkdtempSync(join(tmpdir(), 'perfleet-subset-'));
let lines: string[] = [];
beforeAll(() => {
  const files = refused.map(([text], i) => {
    const file = join(folder, `${i}.ts`);
    writeFileSync(file, text);
    return file;
  });
  lines = spawnSync('node', [CHECK, ...files], { encoding: 'utf8', cwd: process.cwd() }).stdout.split('\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the portable subset', () => {
  it.each(refused.map(([text, reason], i) => ({ text, reason, i })))('refuses $text', ({ text, reason, i }) => {
    const line = text.includes('\n') ? 2 : 1;
    expect(lines.filter((one) => one.includes(`/${i}.ts:`)).map((one) => one.replace(/^.*\.ts:/, ''))).toContain(
      `${line}: ${reason}`,
    );
  });

  it('takes what ucode has', () => {
    const file = join(folder, 'good.ts');
    writeFileSync(file, allowed);
    expect(spawnSync('node', [CHECK, file], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('is kept by all that runs on both hosts; a finding is exit code 1', () => {
    expect(spawnSync('node', [CHECK], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
    expect(spawnSync('node', [CHECK, join(folder, '0.ts')], { encoding: 'utf8' }).status).toBe(1);
  });
});
