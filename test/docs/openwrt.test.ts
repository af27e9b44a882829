import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installLines, uciLines } from '../../controller/desks/uci-lines.ts';
import { root } from '../../packaging/root.mjs';
import { allPages, codeIn, page, section } from './markdown.ts';

const PAGE = 'docs/openwrt.md';
const INIT = 'packaging/openwrt/files/perfleet-agent.init';

const source = (path: string): string => readFileSync(join(root, path), 'utf8');

it('docs/openwrt.md has every option of the UCI section, and no other', () => {
  const known = /^OPTIONS='(.*)'$/m.exec(source(INIT))?.[1]?.split(' ') ?? [];
  expect(known).toContain('broker');
  const listed = section(PAGE, 'Configure').rows.flatMap(([first = '']) => codeIn(first));
  expect(listed.toSorted()).toEqual(known.toSorted());
});

it('each message of the agent in docs/openwrt.md is in its code or its init script', () => {
  const agent = ['agent/core', 'agent/hosts/openwrt', 'agent/iperf3'].flatMap((folder) =>
    readdirSync(join(root, folder), { encoding: 'utf8' }).map((name) => source(join(folder, name))),
  );
  const code = [...agent, source(INIT)].join('\n');
  const messages = section(PAGE, 'What the agent says').rows.flatMap(([first = '']) => codeIn(first));
  expect(messages.length).toBeGreaterThan(10);
  const parts = messages.flatMap((message) => message.split('…').map((part) => part.trim()));
  expect(parts.filter((part) => !code.includes(part))).toEqual([]);
});

it('the lines for a router that the pages show are those that device add prints', () => {
  const password = 'nT1Cmm_jjb0IFNFH03DDR0p5mdgvi7De';
  const broker = 'mqtts://192.168.1.10:8883';
  const lines = uciLines('attic', password, broker);
  const shown = allPages().flatMap(({ path, blocks }) =>
    blocks
      .filter(({ text }) => text.includes('uci set perfleet.agent.device='))
      .map(({ text }) => [path, text.split('\n').filter((line) => /^ *(uci |\/etc\/init\.d\/)/.test(line))] as const),
  );
  expect(shown.map(([path]) => path)).toEqual(['docs/commands.md', 'docs/getting-started.md', PAGE]);
  for (const [path, text] of shown) expect([path, text.map((line) => line.trim())]).toEqual([path, lines]);
  const installs = page(PAGE).blocks.map(({ text }) => text.trim());
  expect(installs).toEqual(expect.arrayContaining(Object.values(installLines(broker))));
});
