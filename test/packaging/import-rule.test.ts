import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../../packaging/root.mjs';

/** A folder with our lint rules and nothing else. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perfleet-lint-'));
  for (const name of ['biome.json', '.gitignore']) copyFileSync(join(root, name), join(folder, name));
});

afterEach(() => rmSync(folder, { recursive: true }));

function lint(path: string, source: string): { accepted: boolean; output: string } {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  const options = { cwd: folder, encoding: 'utf8' } as const;
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/biome'), ['lint', '--reporter=github'], options);
  return { accepted: status === 0, output: stdout };
}

const ONE_WAY = 'Imports point one way: controller → agent → broker.';

test.each([
  ['broker/client.ts', '../controller/slots/slots.ts', ONE_WAY],
  ['broker/client.ts', '../agent/core/core.ts', ONE_WAY],
  ['broker/contract/topics.ts', '../clock.ts', 'The contract imports nothing of ours.'],
  ['agent/main.ts', '../controller/run-record.ts', ONE_WAY],
  ['agent/hosts/node/host.ts', '../../../controller/run-record.ts', ONE_WAY],
  ['agent/main.ts', 'zod', 'zod stays out of the agent: it is larger than the agent itself.'],
])('%s may not import %s', (path, imported, reason) => {
  const { accepted, output } = lint(path, `import { it } from '${imported}';\n\nexport const same = it;\n`);
  expect(output).toContain('lint/style/noRestrictedImports');
  expect(output).toContain(reason);
  expect(accepted).toBe(false);
});

test.each([
  ['controller/drivers/agent.ts', '../../agent/iperf3/argv.ts'],
  ['controller/main.ts', '../broker/client.ts'],
  ['agent/main.ts', '../broker/client.ts'],
  ['broker/client.ts', './contract/topics.ts'],
])('%s may import %s', (path, imported) => {
  expect(lint(path, `import { it } from '${imported}';\n\nexport const same = it;\n`)).toEqual({
    accepted: true,
    output: '',
  });
});

test('a raw timer is refused everywhere but in the clock', () => {
  expect(lint('broker/clock.ts', 'setTimeout(() => 1, 5);\n').accepted).toBe(true);
  expect(lint('broker/client.ts', 'setTimeout(() => 1, 5);\n').output).toContain('lint/style/noRestrictedGlobals');
});
