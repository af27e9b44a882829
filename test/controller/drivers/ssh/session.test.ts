import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SshFailure } from '../../../../controller/drivers/ssh/ssh-failure.ts';
import { Iperf3Server } from '../../../helpers/iperf3-server.ts';
import { isRunning } from '../../../helpers/processes.ts';
import { iperf3On, onDevice } from '../../../helpers/remote-processes.ts';
import { plan, type SshRig } from '../../../helpers/ssh-rig.ts';
import { newKey, SshServer } from '../../../helpers/ssh-server.ts';
import { until } from '../../../helpers/until.ts';

import { device, settled } from './hasty-device.ts';

const withIperf3 = async (ssh: SshRig): Promise<void> => {
  const iperf3 = await Iperf3Server.start(process.env);
  onTestFinished(() => iperf3.end('SIGTERM'));
  ssh.server = { host: '127.0.0.1', port: iperf3.port };
};

describe('a session', () => {
  it('is over 30 s after its last use, and the next one begins anew', async () => {
    const { server, clock, ssh } = await device();
    ssh.prepare('r1');
    await ssh.event('ready', 'r1');
    ssh.driver.cancel(ssh.device, 'r1', 'not wanted');
    expect(ssh.driver.sessions).toBe(1);
    clock.skip(30_000);
    expect(ssh.driver.sessions).toBe(0);
    await until('the connection is closed', () => server.children().length === 0);
    ssh.prepare('r2');
    await ssh.event('ready', 'r2');
  });

  it('closes the connection but keeps a result until it is accepted, and sends it again', async () => {
    const { server, clock, ssh } = await device();
    await withIperf3(ssh);
    await ssh.begin('r1', 1);
    await ssh.result('r1');
    clock.skip(30_000);
    await until('the connection is closed', () => server.children().length === 0);
    clock.skip(30_000);
    await until('it is sent again', () => ssh.messages.filter(({ kind }) => kind === 'result').length >= 2);
    expect(ssh.driver.sessions).toBe(1);
    ssh.driver.accepted(ssh.device, 'r1', 1);
    clock.skip(30_000);
    expect(ssh.driver.sessions).toBe(0);
  });

  it('is not over while iperf3 runs', async () => {
    const { clock, ssh } = await device();
    await withIperf3(ssh);
    await ssh.begin('r1', 1, [plan({ duration_s: 60 })]);
    await until('iperf3 runs', () => iperf3On(ssh.device).length > 0);
    clock.skip(31_000);
    expect(ssh.driver.sessions).toBe(1);
    expect(iperf3On(ssh.device)).toHaveLength(1);
  });

  it('uses new settings as soon as nothing is on deck', async () => {
    const { settings, ssh, server } = await device();
    ssh.prepare('r1');
    await ssh.event('ready', 'r1');
    settings.target = server.target({ host_key: newKey('ed25519').public_key.trim() });
    ssh.prepare('r1');
    await until('it is ready again', () => ssh.events('ready', 'r1').length > 1);
    ssh.driver.cancel(ssh.device, 'r1', 'not wanted');
    ssh.prepare('r2');
    expect((await ssh.event('declined', 'r2')).reason).toMatch(/^host-key-changed:/);
    settings.target = null;
    ssh.prepare('r3');
    expect((await ssh.event('declined', 'r3')).reason).toMatch(/^device-unreachable: it has no SSH settings/);
    settings.target = new SshFailure('ssh-auth-failed', 'its credentials are gone');
    ssh.prepare('r4');
    expect((await ssh.event('declined', 'r4')).reason).toBe('ssh-auth-failed: its credentials are gone');
  });

  it('declines what is on deck when the connection is lost, and a start that was under way', async () => {
    const { server, ssh } = await device();
    ssh.prepare('r1');
    await ssh.event('ready', 'r1');
    await server.stop();
    const lost = await ssh.event('declined', 'r1');
    expect(lost).toMatchObject({ token: null, reason: expect.stringMatching(/^device-unreachable: .*was lost/) });
    ssh.start('r1', 1);
    await until('the start is declined', () => ssh.events('declined', 'r1').some(({ token }) => token === 1));
    expect(ssh.events('started', 'r1')).toEqual([]);
  });

  it('says that iperf3 has ended when its guard must have killed it, if the device does not come back', async () => {
    const { server, clock, ssh } = await device();
    await withIperf3(ssh);
    await ssh.begin('r1', 1, [plan({ duration_s: 60 }), plan({ test: 'second' })]);
    await until('iperf3 runs', () => iperf3On(ssh.device).length > 0);
    await server.stop();
    const refused = () => ssh.log.lines.filter(({ fields }) => /ECONNREFUSED/.test(`${fields['reason']}`)).length;
    await until('it was tried', () => refused() === 1);
    clock.skip(5000);
    await until('it was tried again', () => refused() === 2);
    // Of 70 s and six more, some have passed.
    clock.skip(60_000);
    await settled();
    expect(ssh.events('finished', 'r1')).toEqual([]);
    clock.skip(11_000);
    const { tests } = await ssh.result('r1');
    expect(tests.map(({ test }) => test)).toEqual(['tcp-upload', 'second']);
    for (const { stderr } of tests) expect(stderr).toMatch(/^\n?perfleet: the SSH connection to the device was lost/);
  });

  it('does not take an iperf3 for ended because it got in somewhere else', async () => {
    const { server, clock, settings, ssh } = await device();
    const other = await new SshServer().start();
    onTestFinished(() => other.remove());
    await withIperf3(ssh);
    await ssh.begin('r1', 1, [plan({ duration_s: 60 }), plan({ test: 'second' })]);
    await until('iperf3 runs', () => iperf3On(ssh.device).length > 0);
    settings.target = other.target();
    await server.stop();
    await until('we were in there', () => /auth succeeded/.test(other.log));
    await until('we have left', () => other.children().length === 0);
    expect(ssh.events('finished', 'r1')).toEqual([]);
    // The 70 s that its guard gives it, and six more.
    clock.skip(76_000);
    // The rest of the run is not measured there.
    const { tests } = await ssh.result('r1');
    for (const { stderr } of tests) expect(stderr).toMatch(/^\n?perfleet: the SSH connection to the device was lost/);
    ssh.prepare('r2');
    await ssh.event('ready', 'r2');
  });

  it('is stopped in time while nobody can know whether iperf3 has ended', async () => {
    const { server, ssh } = await device();
    await withIperf3(ssh);
    await ssh.begin('r1', 1, [plan({ duration_s: 60 })]);
    await until('iperf3 runs', () => iperf3On(ssh.device).length > 0);
    await server.stop();
    await until('it was tried', () =>
      ssh.log.of('info').some(({ fields }) => /ECONNREFUSED/.test(`${fields['reason']}`)),
    );
    const begin = performance.now();
    await ssh.driver.stop();
    // Not when its guard must have ended it, in a minute.
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(ssh.events('finished', 'r1')).toEqual([]);
  });

  it('declines a run whose connection is lost while the device is looked at', async () => {
    const { server, ssh } = await device((server) => server.install('#!/bin/sh\nexec sleep 30\n'));
    ssh.prepare('r1');
    await until('it is looked at', () => onDevice(ssh.device).length > 0);
    await server.stop();
    expect((await ssh.event('declined', 'r1')).reason).toMatch(/^device-unreachable: .*was lost/);
  });

  it('opens another guard when the one that waited is gone', async () => {
    const { ssh } = await device();
    await withIperf3(ssh);
    ssh.prepare('r1');
    await ssh.event('ready', 'r1');
    const guard = await until('a guard waits', () => onDevice(ssh.device).find(({ name }) => name === 'sh'));
    process.kill(guard.pid, 'SIGKILL');
    await until('it is gone', () => onDevice(ssh.device).length === 0);
    await settled();
    ssh.start('r1', 1);
    expect(await ssh.result('r1')).toMatchObject({ tests: [{ exit_code: 0 }] });
  });

  it('kills what does not care about the end of stdin', async () => {
    const { ssh } = await device();
    await withIperf3(ssh);
    await ssh.begin('r1', 1, [plan({ duration_s: 60 })]);
    const iperf3 = await until('iperf3 runs', () => iperf3On(ssh.device)[0]);
    for (const { pid } of onDevice(ssh.device)) process.kill(pid, 'SIGSTOP');
    ssh.driver.cancel(ssh.device, 'r1', 'by hand');
    expect(await ssh.event('declined', 'r1')).toMatchObject({ token: 1 });
    expect(isRunning(iperf3.pid)).toBe(false);
    expect(onDevice(ssh.device)).toEqual([]);
  });

  it('lets a start alone try only every 5 s', async () => {
    const { server, clock, ssh } = await device();
    await server.stop();
    const tries = () => ssh.log.of('info').length;
    ssh.start('r1', 1);
    await until('it was tried', () => tries() === 1);
    ssh.start('r1', 1);
    await settled();
    expect(tries()).toBe(1);
    clock.skip(5000);
    ssh.start('r1', 1);
    await until('it was tried again', () => tries() === 2);
    expect(ssh.messages).toEqual([]);
  });

  it('does nothing any more once the driver is stopped, also when it was just connecting', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await until('it listens', () => silent.listening);
    const { settings, ssh, server } = await device();
    const address = silent.address();
    settings.target = server.target({ port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
    ssh.prepare('r1');
    await settled();
    const stopped = ssh.driver.stop();
    ssh.prepare('r2');
    await stopped;
    ssh.prepare('r3');
    ssh.driver.cancel(ssh.device, 'r3', 'unknown');
    ssh.driver.accepted(ssh.device, 'r3', 1);
    await settled();
    expect(ssh.messages.filter(({ kind }) => kind !== 'status')).toEqual([]);
  });
});
