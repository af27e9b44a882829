import { expect, test } from 'vitest';
import { parseSettings } from '../../../controller/config/load-settings.ts';
import { restartNeeded } from '../../../controller/config/restart-needed.ts';
import { secretFolder } from './secrets.ts';

const folder = '/somewhere';
const settings = (yaml: string) => {
  const outcome = parseSettings(
    `http: { listen: "127.0.0.1:1", token_file: ${secretFolder()}/http-token }\n${yaml}`,
    folder,
    {},
  );
  return outcome.ok ? outcome.settings : expect.fail(JSON.stringify(outcome.problems));
};

test.each([
  ['', []],
  ['servers: { milan-1: { host: iperf1.example.net } }', []],
  ['store: elsewhere', ['store']],
  [
    'broker: { listen: "mqtt://127.0.0.1:1" }\ninflux: { version: 1, url: "http://127.0.0.1:1", database: d }',
    ['broker', 'influx'],
  ],
])('a reload that brings %j needs a restart for %j', (yaml, sections) => {
  expect(restartNeeded(settings(''), settings(yaml))).toEqual(
    sections.map((section) => `${section} has changed: that takes effect when the controller is restarted`),
  );
});
