import './ucode.ts';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { now } from '../../../../agent/hosts/openwrt/timer.ts';
import { MqttLink } from '../../../../broker/client.ts';
import { systemClock } from '../../../../broker/clock.ts';
import { commandTopic, eventTopic, resultTopic, statusTopic } from '../../../../broker/contract/topics.ts';
import { findProgram } from '../../../../controller/demo/find-program.ts';
import { Mosquitto } from '../../../helpers/mosquitto.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { until } from '../../../helpers/until.ts';
import { event, open, result, statusOf } from './linked.ts';
import { marked } from './rig.ts';
import { withPrograms } from './started.ts';
import { fillDisk, hurry } from './ucode.ts';

describe('the link to the broker', () => {
  let broker: Mosquitto;
  let observer: MqttLink;
  let seen: [string, Record<string, unknown>][];
  beforeEach(async () => {
    broker = await Mosquitto.start();
    seen = [];
    observer = new MqttLink({
      url: broker.url,
      clientId: 'observer',
      username: null,
      password: null,
      tls: null,
      clock: systemClock,
      random: Math.random,
      log: new RecordedLog(),
      reconnect: { min_ms: 20, max_ms: 20 },
    });
    observer.onMessage((topic, bytes) => seen.push([topic, JSON.parse(Buffer.from(bytes).toString())]));
    observer.subscribe(['perfleet/1/#']);
    observer.start();
    await until('the observer is there', () => observer.connected);
  });
  afterEach(async () => {
    await observer.stop();
    await broker.remove();
  });
  const last = (topic: string) => seen.filter(([name]) => name === topic).at(-1)?.[1];
  const sees = (topic: string, part: object) =>
    until(`there is ${JSON.stringify(part)}`, () => {
      const found = last(topic);
      return found !== undefined && Object.entries(part).every(([key, value]) => found[key] === value);
    });

  it('tells statuses, events and results, and hears what comes', async () => {
    const { link, connected, heard } = open(broker.port);
    await connected();
    await sees(statusTopic('ap-1'), { online: true });
    link.publish(result('r-1'));
    link.publish(result('r-2'));
    link.publish(event('r-1'));
    link.publish(event('r-2'));
    await sees(eventTopic('ap-1'), { run: 'r-2' });
    await sees(resultTopic('ap-1', 'r-1'), { run: 'r-1' });
    await sees(resultTopic('ap-1', 'r-2'), { run: 'r-2' });
    await observer.publish(commandTopic('ap-1'), { type: 'accepted', run: 'é"\\\n', token: 2 });
    await until('the command is heard', () => heard.some(([topic]) => topic === commandTopic('ap-1')));
    const payload = heard.find(([topic]) => topic === commandTopic('ap-1'))?.[1];
    expect(payload).toMatchObject({ run: Buffer.from('é"\\\n').toString('latin1'), token: 2 });
  });

  it('has said all when it is closed, and its will is told when it is killed', async () => {
    const { shell, link, connected } = open(broker.port);
    await connected();
    await sees(statusTopic('ap-1'), { online: true });
    link.publish(statusOf(false));
    await new Promise<void>((closed) => link.close(10_000, closed));
    await sees(statusTopic('ap-1'), { online: false });
    link.publish(statusOf(true));
    expect(marked(`${shell.state};boot-1;post`)).toEqual([]);
  });

  it('is seen to be offline when all of it is killed', async () => {
    const { shell, connected } = open(broker.port);
    await connected();
    await sees(statusTopic('ap-1'), { online: true });
    for (const pid of marked(`${shell.state};`)) process.kill(pid, 'SIGKILL');
    await sees(statusTopic('ap-1'), { online: false });
  });

  it.each(['lsdir', 'readlink'] as const)('does without what /proc says of sockets: %s', async (name) => {
    fs[name] = () => null;
    const { connected } = open(broker.port);
    await connected();
    await sees(statusTopic('ap-1'), { online: true });
  });

  it('sends no status while the connection is cut: it would come from another one', async () => {
    hurry(10);
    const { link, connected, changes } = open(broker.port);
    await connected();
    fs.lsdir = () => null;
    link.publish(statusOf(true, 9));
    await until('it has noticed', () => changes.includes(false));
    await connected(2);
    expect(seen.filter(([, payload]) => payload['pending'] === 9)).toEqual([]);
  });

  it('sends a status again that could not be sent', async () => {
    hurry(10);
    const flag = join(tempFolder(), 'flag');
    const real = findProgram('mosquitto_pub', process.env);
    withPrograms({
      mosquitto_pub: `[ "$1" = -l ] || ! rm ${flag} 2>/dev/null || { echo lost; exit 1; }; exec ${real} "$@"`,
    });
    const { link, connected, said } = open(broker.port);
    await connected();
    await sees(statusTopic('ap-1'), { online: true });
    writeFileSync(flag, '');
    link.publish(statusOf(false));
    await sees(statusTopic('ap-1'), { online: false });
    expect(said).toContain('lost');
  });

  it('drops results that wait when the connection is gone: they come again when it is time', async () => {
    hurry(10);
    const real = findProgram('mosquitto_pub', process.env);
    withPrograms({ mosquitto_pub: `case "$*" in */result/r-1*) exec sleep 1 ;; esac; exec ${real} "$@"` });
    const { shell, link, connected, changes } = open(broker.port);
    await connected();
    await sees(statusTopic('ap-1'), { online: true });
    link.publish(result('r-1'));
    link.publish(result('r-2'));
    for (const pid of marked(`${shell.state};boot-1;sub`)) process.kill(pid, 'SIGKILL');
    await until('it has noticed', () => changes.includes(false));
    await connected(2);
    link.publish(result('r-3'));
    await sees(resultTopic('ap-1', 'r-3'), { run: 'r-3' });
    expect(last(resultTopic('ap-1', 'r-2'))).toBeUndefined();
  });

  it('hears what mosquitto_sub said last, though the line has no end', async () => {
    const said = JSON.stringify({ topic: statusTopic('ap-1'), payloadlen: 2, payload: '{}', retain: 0 });
    withPrograms({ mosquitto_sub: `printf '%s' '${said}'` });
    const { changes } = open(broker.port);
    await until('it was heard', () => changes.includes(true));
    await until('it has ended', () => changes.includes(false));
  });

  it('is there again after the broker, with the status that is true', async () => {
    hurry(10);
    const { link, connected, changes, said } = open(broker.port);
    await connected();
    await broker.stop();
    await until('it has noticed', () => changes.at(-1) === false);
    link.publish(event('lost'));
    link.publish(result('lost'));
    await broker.start();
    await connected(2);
    await sees(statusTopic('ap-1'), { online: true });
    link.publish(event('r-1'));
    await until('events flow again', async () => {
      link.publish(event('r-1'));
      return last(eventTopic('ap-1'))?.['run'] === 'r-1';
    });
    expect(said.filter((text) => text === 'connected to the broker').length).toBe(changes.filter(Boolean).length);
  });

  it('starts programs again that were killed', async () => {
    hurry(200);
    const { shell, link, connected, changes } = open(broker.port);
    await connected();
    const soon = now() + 61_000;
    await until('a minute has gone by', () => now() > soon);
    for (const pid of marked(`${shell.state};boot-1;event`)) process.kill(pid, 'SIGKILL');
    await until('events flow again', () => {
      link.publish(event('r-1'));
      return last(eventTopic('ap-1'))?.['run'] === 'r-1';
    });
    for (const pid of marked(`${shell.state};boot-1;sub`)) process.kill(pid, 'SIGKILL');
    await until('it has noticed', () => changes.includes(false));
    await connected(2);
  });

  it('tells its status with a full disk, and keeps its results for later', async () => {
    fillDisk();
    const { link, connected, said } = open(broker.port);
    await connected();
    await sees(statusTopic('ap-1'), { online: true });
    link.publish(result('r-1'));
    link.publish(statusOf(true, 1));
    await sees(statusTopic('ap-1'), { pending: 1 });
    expect(said.join()).toMatch(/no room for .*post: a result is sent later/);
    expect(last(resultTopic('ap-1', 'r-1'))).toBeUndefined();
  });

  it('gives up a result that is on its way when the connection is gone', async () => {
    const pub = findProgram('mosquitto_pub', process.env);
    withPrograms({ mosquitto_pub: `case "$*" in *" -f "*) exec sleep 60 ;; esac; exec ${pub} "$@"` });
    const { shell, link, connected } = open(broker.port);
    await connected();
    await sees(statusTopic('ap-1'), { online: true });
    link.publish(result('r-1'));
    await until('it is on its way', () => existsSync(join(shell.folder, 'post')));
    for (const pid of marked(`${shell.state};boot-1;sub`)) process.kill(pid, 'SIGKILL');
    await connected(2);
    await until('it was given up', () => !existsSync(join(shell.folder, 'post')));
    await sees(statusTopic('ap-1'), { online: true });
  });

  it('waits for a broker that comes later, and logs each problem once', async () => {
    hurry(20);
    await broker.stop();
    const { connected, said } = open(broker.port);
    await until('it has failed', () => said.length > 0);
    await broker.start();
    await connected();
    const problems = said.slice(0, said.indexOf('connected to the broker'));
    expect(new Set(problems).size).toBe(problems.length);
    expect(problems.join()).toMatch(/refused/);
  });
});
