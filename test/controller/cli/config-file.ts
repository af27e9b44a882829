import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A configuration file in a folder of its own, with a token file beside it; removed when the test is over. */
export const configFile = (yaml: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), 'correct-horse\n', { mode: 0o600 });
  const file = join(folder, 'perfleet.yaml');
  writeFileSync(file, yaml);
  return file;
};
