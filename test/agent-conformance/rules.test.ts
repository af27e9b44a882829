import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../packaging/root.mjs';
import { CASES } from './cases/all.ts';
import { NOT_ABOUT_AGENTS, NOT_CHECKED } from './rules.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The numbers of the rules of a page: `- **L1a** …`. */
const RULES = [...read('docs/protocol.md').matchAll(/^- \*\*([A-Z]\d+[a-z]?)\*\*/gm)].map(([, rule = '']) => rule);

it('every numbered rule of docs/protocol.md has a case, or a reason why it is not about agents', () => {
  expect(RULES.length).toBeGreaterThan(30);
  expect(new Set(RULES).size).toBe(RULES.length);
  const checked = new Set(CASES.map(({ rule }) => rule));
  const excused = Object.keys(NOT_ABOUT_AGENTS);
  expect(excused.filter((rule) => checked.has(rule))).toEqual([]);
  expect([...checked, ...excused].toSorted()).toEqual(RULES.toSorted());
});

it('docs/agent-conformance.md lists what is not checked, and why', () => {
  const rows = read('docs/agent-conformance.md')
    .split('\n')
    .filter((line) => line.startsWith('| '));
  for (const [rule, why] of Object.entries(NOT_ABOUT_AGENTS)) expect(rows).toContain(`| ${rule} | ${why} |`);
  for (const { rule, what, why } of NOT_CHECKED) expect(rows).toContain(`| ${rule} | ${what} | ${why} |`);
});

it('no two cases have the same rule and title', () => {
  const names = CASES.map(({ rule, title }) => `${rule} ${title}`);
  expect(new Set(names).size).toBe(names.length);
});
