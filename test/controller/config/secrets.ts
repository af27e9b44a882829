import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** What the secret files hold: no message may show it. */
export const SECRET = 'hunter2-of-the-test';

const PEM = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';

/** A folder with the secret files that the example and the bad configurations name; removed when the test is over. */
export const secretFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files: Record<string, string> = {
    'cert.pem': PEM,
    'key.pem': PEM,
    'ca.pem': PEM,
    empty: '\n',
    'two-lines': 'a\nb\n',
  };
  for (const name of ['http-token', 'influx-token', 'hook-secret', 'password']) files[name] = `${SECRET}\n`;
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
  return folder;
};
