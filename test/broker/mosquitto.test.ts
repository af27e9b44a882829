import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  commandTopic,
  controllerTopic,
  eventTopic,
  resultTopic,
  slotTopic,
  statusTopic,
} from '../../broker/contract/topics.ts';
import { makeCertificate } from '../helpers/certificates.ts';
import { freePort } from '../helpers/free-port.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { until } from '../helpers/until.ts';
import { connected, makeLink, statusOf } from './fixture.ts';

const packaged = (name: string) => readFileSync(join(import.meta.dirname, '../../packaging/mosquitto', name), 'utf8');

const certificate = makeCertificate();
let port = 0;
let stop = async () => {};

/** mosquitto with the packaged configuration; only its port, its paths and (if root starts it) its user are others. */
beforeAll(async () => {
  port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-mosquitto-'));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  write('ca.crt', certificate.cert);
  write('broker.crt', certificate.cert);
  write('broker.key', certificate.key);
  write('perfleet.acl', packaged('perfleet.acl'));
  write('perfleet.passwd', '');
  for (const user of ['perfleet-controller', 'ap-1', 'ap-2']) {
    execFileSync('mosquitto_passwd', ['-b', join(folder, 'perfleet.passwd'), user, `${user}-secret`], {
      stdio: 'pipe',
    });
  }
  const conf = packaged('perfleet.conf')
    .replace('listener 8883', `user root\nlistener ${port} 127.0.0.1`)
    .replaceAll(/\/etc\/mosquitto\/(certs\/)?|\/var\/lib\/mosquitto/g, `${folder}/`);
  write('perfleet.conf', conf);
  chmodSync(folder, 0o700);
  const child = spawn('mosquitto', ['-c', join(folder, 'perfleet.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  stop = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true });
  };
  await until('mosquitto listens', () => {
    if (child.exitCode !== null) throw new Error(`mosquitto ended: ${output}`);
    return new Promise<boolean>((resolve) => {
      const probe = net.connect(port, '127.0.0.1', () => probe.destroy());
      probe.once('error', () => {}).once('close', (failed) => resolve(!failed));
    });
  });
});

afterAll(async () => {
  await stop();
  await nothingOpen();
});

const secure = () => ({ url: `mqtts://127.0.0.1:${port}`, tls: { ca: certificate.cert, cert: null, key: null } });

const start = async (username: string, filters: string[]) => {
  const made = makeLink(port, username, secure());
  made.link.subscribe(filters);
  await connected(made.link);
  return made;
};

const ready = { type: 'ready', run: 'r-1', boot: 'b1', nonce: 'n1' } as const;
const result = { run: 'r-1', token: 1, boot: 'b1', tests: [] };
const cancel = { type: 'cancel', run: 'r-1', reason: 'test' } as const;
const nobody = { device: null, run: null, token: null, until: null, length_ms: null, state: null };
const claim = { online: true, boot: 'c1', version: '1' };

test('the controller hears a device on its own topics, and on no others', async () => {
  const controller = await start('perfleet-controller', ['perfleet/1/#']);
  const { link } = await start('ap-1', []);
  await link.publish(statusTopic('ap-2'), statusOf('forged'), { retain: true });
  await link.publish(eventTopic('ap-2'), ready);
  await link.publish(resultTopic('ap-2', 'r-1'), result);
  await link.publish(commandTopic('ap-1'), cancel);
  await link.publish(slotTopic('milan-1'), nobody);
  await link.publish(controllerTopic(), claim);
  await link.publish(statusTopic('ap-1'), statusOf('b1'));
  await link.publish(eventTopic('ap-1'), ready);
  await link.publish(resultTopic('ap-1', 'r-1'), result);
  await until('the last one arrives', () => controller.messages.some(({ topic }) => topic.endsWith('/result/r-1')));
  expect(controller.messages.map(({ topic }) => topic)).toEqual([
    statusTopic('ap-1'),
    eventTopic('ap-1'),
    resultTopic('ap-1', 'r-1'),
  ]);
});

test('a device hears its own commands, its own status and the controller, whatever it asks for', async () => {
  const device = await start('ap-1', [
    'perfleet/1/#',
    commandTopic('ap-1'),
    commandTopic('ap-2'),
    statusTopic('ap-1'),
    controllerTopic(),
  ]);
  const other = await start('ap-2', []);
  const { link } = await start('perfleet-controller', []);
  await other.link.publish(statusTopic('ap-2'), statusOf('b2'));
  await link.publish(commandTopic('ap-2'), cancel);
  await link.publish(slotTopic('milan-1'), nobody);
  await link.publish(controllerTopic(), claim);
  await device.link.publish(statusTopic('ap-1'), statusOf('b1'));
  await link.publish(commandTopic('ap-1'), cancel);
  await until('the last one arrives', () => device.messages.some(({ topic }) => topic === commandTopic('ap-1')));
  const topics = new Set(device.messages.map(({ topic }) => topic));
  expect([...topics].sort()).toEqual([controllerTopic(), commandTopic('ap-1'), statusTopic('ap-1')].sort());
});

test('a wrong password is refused', async () => {
  const { link, log } = makeLink(port, 'ap-1', { ...secure(), password: 'wrong' });
  link.start();
  await until('it is refused', () => log.of('warn').length > 0);
  expect(log.of('warn')[0]?.fields).toMatchObject({ reason: 'Connection refused: Not authorized' });
});
