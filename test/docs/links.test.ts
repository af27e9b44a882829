import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../packaging/root.mjs';
import { allPages, type Page, page, parsePage } from './markdown.ts';

const links = ({ prose }: Page): string[] =>
  [...prose.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);

/** The anchor that GitHub and GitLab give a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const broken = (from: Page): string[] =>
  links(from).filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? from.path : normalize(join(dirname(from.path), file));
    if (!existsSync(join(root, target))) return true;
    const { headings } = target === from.path ? from : page(target);
    return anchor !== undefined && !headings.map(anchorOf).includes(anchor);
  });

describe('links between the pages, and into the code', () => {
  it.each(allPages().map((one) => [one.path, one] as const))('of %s lead somewhere', (_path, one) => {
    expect(broken(one)).toEqual([]);
  });

  it('that lead nowhere are found', () => {
    const text = '# A b\n[x](nowhere.md) [y](#a-b) [z](#c) [ok](docs/README.md#words) [no](docs/README.md#word)';
    expect(broken(parsePage('README.md', text))).toEqual(['nowhere.md', '#c', 'docs/README.md#word']);
  });
});

it('every page below docs/ can be reached from the index', () => {
  const reached = new Set(['docs/README.md']);
  for (const path of reached) {
    for (const link of links(page(path))) {
      const target = normalize(join(dirname(path), link.split('#')[0] ?? ''));
      if (target.startsWith('docs/') && target.endsWith('.md')) reached.add(target);
    }
  }
  const pages = allPages().map(({ path }) => path);
  expect(pages.filter((path) => path.startsWith('docs/') && !reached.has(path))).toEqual([]);
});
