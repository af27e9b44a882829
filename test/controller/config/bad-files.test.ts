import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSettings } from '../../../controller/config/load-settings.ts';
import { formatProblems } from '../../../controller/config/problem.ts';
import { SECRET, secretFolder } from './secrets.ts';

const BAD = join(import.meta.dirname, 'bad');
const names = readdirSync(BAD)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

test.each(names)('%s is refused with exactly the message beside it', (name) => {
  const text = readFileSync(join(BAD, `${name}.yaml`), 'utf8');
  const outcome = parseSettings(text, secretFolder(), {});
  if (outcome.ok) expect.fail('it was accepted');
  const message = formatProblems(outcome.problems, 'perfleet.yaml');
  expect(`${message}\n`).toBe(readFileSync(join(BAD, `${name}.expected.txt`), 'utf8'));
  expect(message).not.toContain(SECRET);
});

test('ten mistakes in one file give ten problems, in the order of the file', () => {
  const outcome = parseSettings(readFileSync(join(BAD, 'ten-mistakes.yaml'), 'utf8'), secretFolder(), {});
  if (outcome.ok) expect.fail('it was accepted');
  expect(outcome.problems.map(({ line, path }) => `${line} ${path}`)).toEqual([
    '1 broker.listen',
    '2 http.token_file',
    '4 servers.milan-1.prot',
    '5 servers.milan-2.host_group',
    '6 default_servers[0]',
    '8 check.enabled',
    '9 check.enabled',
    '10 check.window',
    '12 check.tests[0].duration',
    '14 organizations.acme.check.tests[0].bitrate',
  ]);
});
