import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../../packaging/root.mjs';

/** A fenced block. `heading` is the last one before it. */
export interface Block {
  language: string;
  heading: string;
  text: string;
}

/** A page of ours. Paths are relative to the repository. */
export interface Page {
  path: string;
  headings: string[];
  blocks: Block[];
  /** Cells of all tables, without heads, as they are written. */
  rows: string[][];
  /** Everything outside fenced blocks. */
  prose: string;
}

const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

/** Reads what the tests need of one page; knows the Markdown that our pages use, no more. */
export const parsePage = (path: string, text: string): Page => {
  const page: Page = { path, headings: [], blocks: [], rows: [], prose: '' };
  let block: Block | null = null;
  let table: string[][] = [];
  for (const line of [...text.split('\n'), '']) {
    const fence = /^```(\w*)$/.exec(line);
    if (fence !== null && block === null) {
      block = { language: fence[1] ?? '', heading: page.headings.at(-1) ?? '', text: '' };
    } else if (fence !== null && block !== null) {
      page.blocks.push(block);
      block = null;
    } else if (block !== null) block.text += `${line}\n`;
    else {
      const heading = /^#+ (.*)$/.exec(line)?.[1];
      if (heading !== undefined) page.headings.push(heading);
      if (line.startsWith('|')) table.push(cellsOf(line));
      else if (table.length > 0) {
        page.rows.push(...table.slice(2));
        table = [];
      }
      page.prose += `${line}\n`;
    }
  }
  if (block !== null) throw new Error(`${path}: a block under "${block.heading}" never ends`);
  return page;
};

/** One page by its path. */
export const page = (path: string): Page => parsePage(path, readFileSync(join(root, path), 'utf8'));

/** All pages that a reader may come to. */
export const allPages = (): Page[] => {
  const below = readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  return ['README.md', 'CHANGELOG.md', 'packaging/mosquitto/README.md', ...below.sort()].map(page);
};

/** The words in backquotes of a text. */
export const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** The part of a page from one heading to the next of any level. */
export const section = (path: string, heading: string): Page => {
  const text = readFileSync(join(root, path), 'utf8');
  const [, rest] = text.split(new RegExp(`^#+ ${heading.replaceAll(/[.*+?^$()[\]{}|\\]/g, '\\$&')}$`, 'm'));
  if (rest === undefined) throw new Error(`${path} has no heading "${heading}"`);
  const outside = rest.split(/^```/m);
  const end = outside.findIndex((part, index) => index % 2 === 0 && /^#+ /m.test(part));
  const kept = end < 0 ? rest : [...outside.slice(0, end), outside[end]?.split(/^#+ /m)[0] ?? ''].join('```');
  return parsePage(`${path}#${heading}`, kept);
};
