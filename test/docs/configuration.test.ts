import { expect, it } from 'vitest';
import { parseConfig } from '../../agent/hosts/node/config.ts';
import { parseSettings } from '../../controller/config/load-settings.ts';
import { codeIn, page, section } from './markdown.ts';

/*
 * Which keys are accepted is asked of the readers themselves: both name all keys that they know of a mapping when it has one that they
 * do not know. So a mapping with an unknown key is put under every known key, and under those, until nothing more is named.
 */

const STRANGE = 'zz-unknown';

/** The path of an unknown key and what could stand there instead. */
type Refused = { path: string; known: string[] };

const refusedByController = (data: unknown): Refused[] => {
  const loaded = parseSettings(JSON.stringify(data), '/nonexistent', {});
  return (loaded.ok ? [] : loaded.problems)
    .filter(({ found }) => found === `the unknown key ${STRANGE}`)
    .map(({ path, expected }) => ({ path, known: expected.replace('one of ', '').split(', ') }));
};

const refusedByAgent = (data: unknown): Refused[] => {
  try {
    parseConfig(JSON.stringify(data), '/nonexistent/agent.yaml');
  } catch (error) {
    const lines = String(error).matchAll(/^ +(\S*): unknown key, expected one of (.*)$/gm);
    return [...lines].map(([, path = '', known = '']) => ({ path, known: known.split(', ') }));
  }
  return [];
};

/** The three shapes that a key can have below it, and how a page writes each. */
const SHAPES = [
  { wrap: (mapping: object): unknown => mapping, mark: '' },
  { wrap: (mapping: object): unknown => ({ name: mapping }), mark: '.<name>' },
  { wrap: (mapping: object): unknown => [mapping], mark: '[]' },
];

/** What stands beside a key and decides which other keys are known. */
const VARIANTS: Record<string, object[]> = {
  broker: [{}, { listen: 'mqtts://127.0.0.1:0' }, { url: 'mqtts://127.0.0.1:1' }],
  influx: [{ version: 1 }, { version: 2 }],
  'receivers.<name>': [{ webhook: '' }, { email: [] }, { alertmanager: '' }, { mqtt: '' }],
};

/** All keys below `place`; `nest` puts a mapping there. */
const keysBelow = (
  ask: (data: unknown) => Refused[],
  place: string,
  path: string,
  nest: (mapping: object) => unknown,
): string[] => {
  const found = new Set<string>();
  for (const beside of VARIANTS[place] ?? [{}]) {
    const strange = `${path === '' ? '' : `${path}.`}${STRANGE}`;
    const known = ask(nest({ ...beside, [STRANGE]: 1 })).find((refused) => refused.path === strange)?.known ?? [];
    for (const key of known) {
      const here = place === '' ? key : `${place}.${key}`;
      found.add(here);
      for (const { wrap, mark } of SHAPES) {
        const below = `${path === '' ? '' : `${path}.`}${key}${mark.replace('<name>', 'name').replace('[]', '[0]')}`;
        const put = (mapping: object) => nest({ ...beside, [key]: wrap(mapping) });
        for (const one of keysBelow(ask, `${here}${mark}`, below, put)) found.add(one);
      }
    }
  }
  return [...found];
};

const tableKeys = (rows: string[][]): string[] =>
  rows.flatMap(([first = '']) => codeIn(first)).filter((code) => /^[a-z_]+(\.|\[|$)/.test(code));

const CHECK = 'organizations.<name>.check';
const TAG = 'check.tags.<name>.';

it('docs/configuration.md has every key of the configuration, and no other', () => {
  const accepted = keysBelow(refusedByController, '', '', (mapping) => mapping);
  // A check of an organization has the keys of `check`, as the page says, and a tag of a check those without `tags`.
  const own = accepted
    .filter((key) => key.startsWith(`${CHECK}.`))
    .map((key) => key.slice(CHECK.length - 'check'.length));
  expect(own.toSorted()).toEqual(accepted.filter((key) => key.startsWith('check.')).toSorted());
  const tagged = accepted.filter((key) => key.startsWith(TAG)).map((key) => `check.${key.slice(TAG.length)}`);
  const inCheck = accepted.filter((key) => key.startsWith('check.') && !key.startsWith('check.tags'));
  expect(tagged.toSorted()).toEqual(inCheck.toSorted());
  const named = accepted.filter((key) => !key.startsWith(`${CHECK}.`) && !key.startsWith(TAG));
  expect(tableKeys(page('docs/configuration.md').rows).toSorted()).toEqual(named.toSorted());
});

it("docs/agent.md has every key of the agent's file, and no other", () => {
  const accepted = keysBelow(refusedByAgent, '', '', (mapping) => mapping);
  expect(tableKeys(section('docs/agent.md', 'Its file').rows).toSorted()).toEqual(accepted.toSorted());
});
