import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bundleOpenwrt } from '../../packaging/build/build.mjs';
import { bundleForUcode } from '../../packaging/build/ucode.mjs';
import { root } from '../../packaging/root.mjs';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Bundles files of these texts; the first one is the program. */
const bundle = (...files: [name: string, text: string][]): string => {
  const folder = tempFolder();
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  return bundleForUcode(relative(root, join(folder, files[0]?.[0] ?? '')), '"1.2.3"');
};

describe('perfleet-agent.uc', () => {
  const build = () => {
    const folder = tempFolder();
    bundleOpenwrt(folder);
    return folder;
  };

  test('is the same, byte for byte, wherever and whenever it is built', () => {
    const [first, second] = [build(), build()];
    for (const name of ['perfleet-agent.uc', 'perfleet-agent'])
      expect(readFileSync(join(first, name)).equals(readFileSync(join(second, name)))).toBe(true);
  });

  test('is small, and comes with the program that starts it', () => {
    const folder = build();
    expect(gzipSync(readFileSync(join(folder, 'perfleet-agent.uc')), { level: 9 }).length).toBeLessThan(24 * 1024);
    expect(statSync(join(folder, 'perfleet-agent.uc')).mode & 0o777).toBe(0o644);
    expect(statSync(join(folder, 'perfleet-agent')).mode & 0o777).toBe(0o755);
  });
});

describe('a bundle for ucode', () => {
  test('is one file, what is needed first, without types and comments', () => {
    const each = join(relative(tempFolder(), root), 'agent/core/each.ts');
    const uc = bundle([
      'main.ts',
      `import { each } from '${each}';
interface Sum { all: number }
/** Adds. */
export const add = (list: number[]): number => {
  const sum: Sum = { all: 0 };
  // One by one.
  each(list, (one) => {
    sum.all += one as number;
  });
  return sum.all;
};
const sub = add;
export { sub };
`,
    ]);
    expect(
      uc.slice(uc.indexOf('const VERSION')).replace(/^\/\/ .*\/main.ts$/m, '// main.ts'),
    ).toBe(`const VERSION = "1.2.3";
// agent/core/each.ts
const each = (list, visit) => {
for (let i = 0; i < length(list); i++) visit(list[i], i);
};
// main.ts
const add = (list) => {
const sum = { all: 0 };
each(list, (one) => {
sum.all += one;
});
return sum.all;
};
const sub = add;
`);
  });

  test('keeps integers integers: 5e3 would be none in ucode', () => {
    const uc = bundle(['main.ts', 'const all = [5000, 1000000, 65536, 0.25, 1500000];\npush(all, 1e3);\n']);
    expect(uc).toContain('[5000, 1000000, 65536, 0.25, 1500000];\npush(all, 1000);');
  });

  test('guards all of an optional chain, as ucode goes on after null', () => {
    const uc = bundle(['main.ts', 'const a = json("x");\npush([a?.b.c, a?.[0][1], a?.b()(2), a.b.c, a?.["x"]?.y]);\n']);
    expect(uc).toContain('a?.b?.c, a?.[0]?.[1], a?.b?.()?.(2), a.b.c, a?.["x"]?.y');
  });

  test('leaves texts of several lines as they are', () => {
    const uc = bundle(['main.ts', 'const go = () => {\n    lc(`if\n      x\n    fi`);\n};\ngo();\n']);
    expect(uc).toContain('\nlc(`if\n      x\n    fi`);\n');
  });

  const refused: [string, string, string[]][] = [
    ['a class', 'const a = 1;\nclass A {}\n', ['main.ts:2: ClassDeclaration: not in the portable subset']],
    ['a default parameter', '\n\nlc((a = 1) => a);\n', ['main.ts:3: a default parameter: use ??']],
    ['.length', 'lc("".length);\n', ['main.ts:1: ".length": use length()']],
    ['a module of Node', "import { join } from 'node:path';\njoin('a');\n", ['main.ts:1: "node:path" is not portable']],
    [
      'a name of ucode',
      'let a = 1;\nlet match = 1;\n',
      ['main.ts:2: "match" is in ucode too: all files are one scope'],
    ],
    ['what does not parse', 'let a = 1;\nlet b = ;\n', ['main.ts:2:8: ERROR: Unexpected ";"']],
    ['all at once', 'class A {}\nenum B {}\n', ['main.ts:1: ClassDeclaration', 'main.ts:2: TSEnumDeclaration']],
  ];
  test.each(refused)('is refused with file and line: %s', (_, text, lines) => {
    for (const line of lines) expect(() => bundle(['main.ts', text])).toThrow(line);
  });

  test('is refused when two files have the same name at their top, as they become one scope', () => {
    const files: [string, string][] = [
      ['main.ts', "import { b } from './b.ts';\nconst same = b;\nlc(same);\n"],
      ['b.ts', "export const b = '';\n\nexport function same() {}\n"],
    ];
    expect(() => bundle(...files)).toThrow(/b\.ts:3: "same" is in \S+main\.ts:2 too: all files are one scope/);
  });
});
