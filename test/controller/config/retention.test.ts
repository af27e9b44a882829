import { expect, test } from 'vitest';
import { parseSettings } from '../../../controller/config/load-settings.ts';

const DAY_MS = 86_400_000;

const retentionOf = (retention: unknown) => {
  const loaded = parseSettings(JSON.stringify({ retention }), '/nonexistent', {});
  const problems = loaded.ok ? [] : loaded.problems.filter(({ path }) => path.startsWith('retention'));
  return loaded.ok ? loaded.settings.retention : problems.map(({ path, expected }) => [path, expected]);
};

test('everything has a shortest and a longest', () => {
  expect(retentionOf({ runs: '1d', raw: '40000d', raw_size: '-1' })).toEqual([
    ['retention.runs', 'a duration from 2d to 36500d'],
    ['retention.raw', 'a duration from 0s to 36500d'],
    ['retention.raw_size', expect.stringContaining('a size in bytes from')],
  ]);
});

test('a key that is left out has its default', async () => {
  const { readRetention, DEFAULT_RETENTION } = await import('../../../controller/config/retention-section.ts');
  const { Reader } = await import('../../../controller/config/reader.ts');
  const { readYaml } = await import('../../../controller/config/yaml-source.ts');
  const { SecretFolder } = await import('../../../controller/config/secret-folder.ts');
  const reader = new Reader(readYaml('{}'), new SecretFolder('/', {}));
  expect(readRetention(reader, undefined)).toEqual(DEFAULT_RETENTION);
  expect(readRetention(reader, { runs: '30d', raw: 0, raw_size: '2G' })).toEqual({
    ...{ runs_ms: 30 * DAY_MS, raw_ms: 0, raw_bytes: 2 * 1024 ** 3 },
  });
});
