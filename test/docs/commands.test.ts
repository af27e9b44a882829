import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../packaging/root.mjs';
import { allHelp, flagOf } from './help.ts';
import { allPages, codeIn, page, section } from './markdown.ts';

const HELP = await allHelp();
/** What can be called: also `results`, which has a command below it. */
const LEAVES = HELP.filter(
  ({ command, commands, options }) => command !== '' && (commands.length === 0 || options.length > 0),
);

const COMMANDS = page('docs/commands.md');

/** What looks like an option. */
const flagsIn = (text: string): string[] => text.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [];

it('perfleet has commands, and they have options', () => {
  expect(LEAVES.length).toBeGreaterThan(10);
  expect(HELP.flatMap(({ options }) => options)).toContain('--log-level <level>');
});

it('docs/commands.md has a section for each command, and no other', () => {
  const documented = COMMANDS.headings.flatMap((heading) => /^perfleet (.*)$/.exec(heading)?.[1] ?? []);
  expect(documented.toSorted()).toEqual(LEAVES.map(({ command }) => command).toSorted());
});

describe('the section of', () => {
  it.each(LEAVES.map((help) => [help.command, help.options] as const))(
    'perfleet %s lists its options, and no others',
    (command, options) => {
      const { rows, prose } = section('docs/commands.md', `perfleet ${command}`);
      const listed = rows.flatMap(([first = '']) => codeIn(first)).filter((code) => code.startsWith('--'));
      expect(listed.toSorted()).toEqual([...options].toSorted());
      const flags = options.map(flagOf);
      expect(flagsIn(prose).filter((flag) => !flags.includes(flag))).toEqual([]);
    },
  );
});

const callsIn = (path: string, lines: string[]) =>
  lines.flatMap((line) =>
    [...line.matchAll(/(?:^|\$ |\| |\/)perfleet(?:\.js)? ([a-z][^|;&#]*)/g)].map(
      ([, call = '']) => [path, call.trim()] as const,
    ),
  );

const UNIT = 'packaging/systemd/perfleet.service';

/** The calls of perfleet in the shell lines of all pages, and in the systemd unit. */
const calls = [
  ...allPages().flatMap(({ path, blocks }) =>
    blocks.flatMap(({ language, text }) => {
      if (language !== 'sh' && language !== 'console') return [];
      return callsIn(
        path,
        text.split('\n').filter((line) => language === 'sh' || line.startsWith('$ ')),
      );
    }),
  ),
  ...callsIn(UNIT, readFileSync(join(root, UNIT), 'utf8').split('\n')),
];

const fault = (call: string): string | null => {
  const words = call.split(/\s+/);
  const help = HELP.findLast(({ command }) => command !== '' && `${words.join(' ')} `.startsWith(`${command} `));
  if (help === undefined || !LEAVES.includes(help)) return 'no such command';
  const flags = help.options.map(flagOf);
  return words.find((word) => word.startsWith('--') && !flags.includes(word)) ?? null;
};

describe('the calls of perfleet in the pages', () => {
  it('are many, and a wrong one is found', () => {
    expect(calls.length).toBeGreaterThan(20);
    expect(['rnu ap-12', 'device', 'device lst', 'run ap-12 --sever a'].map(fault)).toEqual([
      'no such command',
      'no such command',
      'no such command',
      '--sever',
    ]);
  });

  it.each(calls)('%s: perfleet %s', (_path, call) => {
    expect(fault(call)).toBeNull();
  });
});
