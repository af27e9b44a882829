import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { root } from '../../packaging/root.mjs';

/** What `npm run build` makes for others. */
const BUILT = ['agent.js', 'perfleet.js', 'perfleet-agent', 'perfleet-agent.uc', 'perfleet-agent_0.0.0-r1_all.ipk'];

/** The files of this checkout in a folder of their own, as if they had just been built: this test builds nothing in dist/. */
const builtCheckout = (): { folder: string; tracked: string[] } => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-pack-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const path of tracked) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
  mkdirSync(join(folder, 'dist'));
  for (const name of [...BUILT, 'perfleet.meta.json', 'agent.meta.json']) {
    writeFileSync(join(folder, 'dist', name), '');
  }
  return { folder, tracked };
};

const Packed = z.tuple([z.object({ files: z.array(z.object({ path: z.string() })) })]);

test('npm ships the programs, the pages and what a controller is installed with, and nothing else', () => {
  const { folder, tracked } = builtCheckout();
  const [packed] = Packed.parse(
    JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--offline', '--ignore-scripts'], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, npm_config_cache: join(folder, '.npm'), npm_config_update_notifier: 'false' },
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: 30_000,
      }),
    ),
  );
  const expected = [
    ...['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', ...BUILT.map((name) => `dist/${name}`)],
    ...tracked.filter((path) =>
      /^(docs\/|packaging\/(grafana\/(dashboards|provisioning)|iperf3-server|mosquitto|openwrt|systemd)\/|packaging\/[^/]+\.yaml$)/.test(
        path,
      ),
    ),
  ];
  expect(packed.files.map(({ path }) => path).sort()).toEqual(expected.sort());
});
