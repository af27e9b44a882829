import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../agent/hosts/node/config.ts';
import { parseSettings } from '../../controller/config/load-settings.ts';
import { allPages } from './markdown.ts';

/** Stands for /etc/perfleet. */
const FOLDER = mkdtempSync(join(tmpdir(), 'perfleet-docs-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

/** What an example that only shows an addition is added to. */
const BEFORE = `http: { token_file: ${FOLDER}/http-token }
servers: { milan-1: { host: iperf1.example.net } }
default_servers: [milan-1]
`;

/** Makes the files that an example names. */
const makeFiles = (value: unknown, key = ''): void => {
  if (typeof value === 'object' && value !== null) {
    for (const [name, entry] of Object.entries(value)) makeFiles(entry, name);
  } else if (/_file$|^(ca|cert|key)$/.test(key)) {
    const file = resolve(FOLDER, String(value));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, /(?<!key)_file$/.test(key) ? 'secret\n' : PEM, { mode: 0o600 });
  }
};

const examples = allPages().flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language }) => language === 'yaml')
    .map(({ heading, text }) => [`${path}, ${heading}`, text.replaceAll('/etc/perfleet', FOLDER)] as const),
);

/** What a reader says of an example, which begins with a comment that names its file: nothing when all is well. */
const faults = (text: string): unknown[] => {
  const [, file, added] = /^# \S+\/(perfleet|agent)\.yaml(: added)?/.exec(text) ?? [];
  const yaml = added === undefined ? text : BEFORE + text;
  makeFiles(parse(yaml));
  if (file === 'agent') {
    try {
      parseConfig(yaml, join(FOLDER, 'agent.yaml'));
      return [];
    } catch (error) {
      return [String(error)];
    }
  }
  if (file === undefined) return ['it does not say which file it is'];
  const loaded = parseSettings(yaml, FOLDER, {});
  return loaded.ok ? loaded.warnings : loaded.problems;
};

describe('the YAML of', () => {
  it.each(examples)('%s loads without a warning', (_where, text) => {
    expect(faults(text)).toEqual([]);
  });

  it('the pages is of both kinds, and a mistake in either is found', () => {
    expect(examples.filter(([, text]) => text.includes('perfleet.yaml')).length).toBeGreaterThan(4);
    expect(examples.filter(([, text]) => text.includes('agent.yaml')).length).toBeGreaterThan(0);
    expect(faults('# /etc/perfleet/perfleet.yaml: added\nchek: {}\n')).toHaveLength(1);
    expect(faults('# /etc/perfleet/agent.yaml\ndevice: a\n')).toHaveLength(1);
    expect(faults('check: {}\n')).toHaveLength(1);
  });
});
