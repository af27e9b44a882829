import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../broker/clock.ts';
import { AlertNotice } from '../../controller/alerts/notice.ts';
import { signature, webhook } from '../../controller/alerts/receivers/webhook.ts';
import { Endpoint } from '../controller/alerts/endpoint.ts';
import { notice, patience } from '../controller/alerts/notices.ts';
import { freePort } from '../helpers/free-port.ts';
import { Program } from '../helpers/program.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { until } from '../helpers/until.ts';
import { page, section } from './markdown.ts';

const PAGE = 'docs/alert-receivers.md';

const blockOf = (language: string, holds: string): string =>
  page(PAGE).blocks.find((block) => block.language === language && block.text.includes(holds))?.text ?? '';

it('the notice in docs/alert-receivers.md is one, and has every key', () => {
  const shown: unknown = JSON.parse(blockOf('json', 'alert'));
  expect(AlertNotice.parse(shown)).toEqual(shown);
  expect(Object.keys(AlertNotice.shape).toSorted()).toEqual(Object.keys(shown as object).toSorted());
});

it('its headers are those that are sent', async () => {
  const endpoint = await Endpoint.open();
  await webhook({ kind: 'webhook', url: endpoint.url, secret: 'hunter2', ca: null }, systemClock).send(
    notice(),
    patience,
  );
  const sent = Object.keys(endpoint.heard[0]?.headers ?? {}).filter((name) => name.startsWith('x-'));
  const named = section(PAGE, 'Webhook').rows.flatMap(([first = '']) => /^`(X-[A-Za-z-]+)`$/.exec(first)?.[1] ?? []);
  expect(named.map((name) => name.toLowerCase()).toSorted()).toEqual(sent.toSorted());
});

it('its receiver in Python takes what is signed, once, and refuses what is not', async () => {
  const folder = tempFolder();
  const [file, secret_file] = [join(folder, 'hook.py'), join(folder, 'secret')];
  writeFileSync(file, blockOf('python', 'is_from_perfleet'));
  writeFileSync(secret_file, 'hunter2\n');
  const slack = await Endpoint.open();
  slack.answerWith(200, 'ok');
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), SECRET_FILE: secret_file, SLACK_URL: slack.url };
  const program = new Program(['timeout', '60', '/usr/bin/python3', file], env);
  onTestFinished(async () => void (await program.end('SIGTERM')));
  const url = `http://127.0.0.1:${port}/`;
  await until('it listens', () => fetch(url).then(Boolean, () => false));
  const to = (secret: string | null) => webhook({ kind: 'webhook', url, secret, ca: null }, systemClock);
  for (const secret of ['wrong', null]) {
    const outcome = await to(secret).send(notice(), patience);
    expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining('answered 403') });
  }
  expect(slack.heard).toEqual([]);
  for (const id of ['n-1', 'n-1', 'n-2'])
    expect(await to('hunter2').send(notice({ id }), patience)).toMatchObject({ kind: 'delivered' });
  expect(slack.heard.map(({ body }) => JSON.parse(body).text)).toEqual([
    'firing: ap-12: 18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs',
    'firing: ap-12: 18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs',
  ]);
});

it('its line of shell makes the same signature', () => {
  const file = join(tempFolder(), 'body');
  const body = JSON.stringify(notice({ reason: 'über 30 ms' }));
  writeFileSync(file, body);
  const env = { ...process.env, TIMESTAMP: '1795312231', BODY_FILE: file, SECRET: 'hunter2' };
  const made = execFileSync('sh', ['-c', blockOf('sh', 'openssl')], { env, encoding: 'utf8' }).trim();
  expect(made).toBe(`sha256=${signature('hunter2', '1795312231', body)}`);
});

it('its configuration of Alertmanager is one', () => {
  const file = join(tempFolder(), 'alertmanager.yml');
  writeFileSync(file, blockOf('yml', 'slack_configs'));
  expect(execFileSync('amtool', ['check-config', file], { encoding: 'utf8' })).toContain('SUCCESS');
});
