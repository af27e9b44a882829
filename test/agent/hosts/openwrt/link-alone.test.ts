import './ucode.ts';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { now } from '../../../../agent/hosts/openwrt/timer.ts';
import { statusTopic } from '../../../../broker/contract/topics.ts';
import { until } from '../../../helpers/until.ts';
import { open, statusOf } from './linked.ts';
import { marked } from './rig.ts';
import { withPrograms } from './started.ts';
import { hurry } from './ucode.ts';

it('a status that says it was there before counts once for a connection', async () => {
  const said = JSON.stringify({ topic: statusTopic('ap-1'), payloadlen: 2, payload: '{}', retain: 1 });
  withPrograms({
    mosquitto_sub: `printf '%s\\n%s\\n' '${said}' '${said}'; exec sleep 60`,
    mosquitto_pub: 'exec sleep 60',
  });
  const { changes, heard, shell } = open(1);
  await until('both were heard', () => heard.length > 0);
  expect(changes).toEqual([true]);
  for (const pid of marked(`${shell.state};`)) process.kill(pid, 'SIGKILL');
});

it('a broker that accepts and never answers keeps nobody waiting', async () => {
  hurry(400);
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  const { link, changes, shell } = open(typeof address === 'object' ? (address?.port ?? 0) : 0);
  await until('its clients have connected', () => marked(`${shell.state};boot-1;post`).length > 0);
  const [stuck] = marked(`${shell.state};boot-1;post`);
  await until('the post was given up', () => !marked(`${shell.state};boot-1;post`).includes(stuck ?? 0));
  await until('the next one tries', () => marked(`${shell.state};boot-1;post`).length > 0);
  link.publish(statusOf(false));
  await new Promise<void>((closed) => link.close(1500, closed));
  expect(changes).toEqual([]);
  const later = now() + 60_000;
  const [last] = marked(`${shell.state};boot-1;post`);
  for (const pid of marked(`${shell.state};`)) process.kill(pid, 'SIGKILL');
  await until('it is gone', () => !marked(`${shell.state};boot-1;post`).includes(last ?? 0));
  await until('a minute has gone by', () => now() > later);
  expect(marked(`${shell.state};`)).toEqual([]);
});
