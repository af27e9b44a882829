import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { fleetTest } from '../helpers/fleet-test.ts';
import { freePort } from '../helpers/free-port.ts';
import { Program } from '../helpers/program.ts';
import { until } from '../helpers/until.ts';
import { page } from './markdown.ts';

/*
 * docs/getting-started.md as a reader follows it, on loopback: its certificate, its configuration, its receiver, its rules. Only addresses
 * and ports differ, and how long a test takes.
 */

const test = fleetTest(['here']);

const blocks = page('docs/getting-started.md').blocks;
const blockWith = (language: string, holds: string): string =>
  blocks.find((block) => block.language === language && block.text.includes(holds))?.text ?? '';

test('the certificate, the night and the rules of the page are good, and its first alert fires', async ({ fleet }) => {
  const port = await freePort();
  const here = (text: string) =>
    text
      .replaceAll('/etc/perfleet', fleet.folder)
      .replaceAll('192.168.1.10:8883', `127.0.0.1:${fleet.mqtt_port}`)
      .replaceAll('192.168.1.10', '127.0.0.1')
      .replaceAll('9000', `${port}`)
      .replaceAll('10s', '1s');
  const openssl = /openssl req (?:.*\\\n)*.*/.exec(blockWith('sh', 'openssl req'))?.[0] ?? '';
  execFileSync('sh', ['-c', here(openssl)], { cwd: fleet.folder, stdio: 'ignore' });
  expect(existsSync(fleet.path('broker-key.pem'))).toBe(true);

  const { broker } = parse(here(blockWith('yaml', 'listen:')));
  const { check } = parse(here(blockWith('yaml', 'enabled: true')));
  const sure = parse(here(blockWith('yaml', 'below: 100G')));
  const wanted = parse(here(blockWith('yaml', 'below: 20M')));
  const hook = new Program(['sh', '-c', `exec ${here(blockWith('sh', 'createServer'))}`], fleet.env);
  fleet.alsoStop(() => hook.end('SIGTERM'));
  const controller = await fleet.serve({ broker, check, ...sure });
  await until('the receiver listens', async () => (await fleet.cli('alerts', 'test', 'here')).code === 0);

  fleet.agent(await fleet.addDevice('attic'), { tls: { ca: fleet.path('broker-cert.pem') } });
  await fleet.allOnline();
  expect(await fleet.over(await fleet.order('attic'))).toMatchObject({ outcome: 'success' });
  await hook.says(/"rule":"slow-download",.*"state":"firing".*is below 100 Gbit\/s/);
  expect((await fleet.cli('alerts')).out).toMatch(/firing +warning +device attic +slow-download/);

  fleet.configure({ broker, check, ...wanted });
  process.kill(controller.pid, 'SIGHUP');
  await hook.says(/"rule":"slow-download",.*"state":"resolved".*the rule slow-download was changed/);
});
