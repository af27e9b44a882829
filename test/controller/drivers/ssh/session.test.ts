import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../broker/clock.ts';
import { connect } from '../../../../controller/drivers/ssh/connection.ts';
import { Handshakes } from '../../../../controller/drivers/ssh/handshakes.ts';
import { PrivateKeys } from '../../../../controller/drivers/ssh/private-keys.ts';
import { Remote } from '../../../../controller/drivers/ssh/remote.ts';
import { SshFailure } from '../../../../controller/drivers/ssh/ssh-failure.ts';
import type { SshTarget } from '../../../../controller/drivers/ssh/target.ts';
import { HastyClock } from '../../../helpers/hasty-clock.ts';
import { Iperf3Server } from '../../../helpers/iperf3-server.ts';
import { isRunning } from '../../../helpers/processes.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { iperf3On, onDevice } from '../../../helpers/remote-processes.ts';
import { plan, SshRig } from '../../../helpers/ssh-rig.ts';
import { newKey, SshServer } from '../../../helpers/ssh-server.ts';
import { until } from '../../../helpers/until.ts';

let count = 0;

const device = async (change: (server: SshServer) => void = () => {}) => {
  const server = new SshServer();
  onTestFinished(() => server.remove());
  change(server);
  await server.start();
  const clock = new HastyClock();
  const settings: { target: SshTarget | SshFailure | null } = { target: server.target() };
  const ssh = new SshRig(`session-${++count}`, () => settings.target, { clock });
  return { server, clock, settings, ssh };
};

const withIperf3 = async (ssh: SshRig): Promise<void> => {
  const iperf3 = await Iperf3Server.start(process.env);
  onTestFinished(() => iperf3.end('SIGTERM'));
  ssh.server = { host: '127.0.0.1', port: iperf3.port };
};

/** Lets what was just read from sockets be handled. */
const settled = () => new Promise((resolve) => systemClock.after(50, () => resolve(null)));

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

describe('a device whose shell', () => {
  const shell = (script: string) => device((server) => writeFileSync(join(server.folder, 'shell'), script));

  it.each([
    ['does nothing', '#!/bin/false\n', /^ssh-failed: its shell ended with exit code 1$/],
    ['is killed', '#!/bin/sh\nkill -KILL $$\n', /^ssh-failed: its shell was killed$/],
    ['talks without end', '#!/bin/sh\nexec cat /dev/zero\n', /^ssh-failed: its shell talks too much$/],
  ])('%s is declined', async (_what, script, reason) => {
    const { ssh } = await shell(script);
    ssh.prepare('r1');
    expect((await ssh.event('declined', 'r1')).reason).toMatch(reason);
  });

  it('cannot look around is declined, and not for a missing iperf3', async () => {
    const { ssh } = await shell(
      '#!/bin/sh\ncase $2 in *"iperf3 --version"*) exit 2 ;; esac\nexec /bin/busybox ash "$@"\n',
    );
    ssh.prepare('r1');
    expect((await ssh.event('declined', 'r1')).reason).toMatch(/^ssh-failed: its shell ended with exit code 2$/);
  });

  it('hangs only then is declined after 7 s', async () => {
    const { ssh, clock } = await shell(
      '#!/bin/sh\ncase $2 in *"iperf3 --version"*) PERFLEET_STATE=/tmp/perfleet-ssh-hung/ exec sleep 30 ;; esac\nexec /bin/busybox ash "$@"\n',
    );
    ssh.prepare('r1');
    await until('it hangs', () => onDevice('hung').length > 0);
    clock.skip(7000);
    expect((await ssh.event('declined', 'r1')).reason).toMatch(/^ssh-failed: its shell did not answer within 7 s$/);
  });

  it('hangs is declined after 10 s', async () => {
    const { ssh, clock, server } = await shell('#!/bin/sh\nexec sleep 30\n');
    ssh.prepare('r1');
    await until('we are in', () => /auth succeeded/.test(server.log));
    await settled();
    clock.skip(10_000);
    expect((await ssh.event('declined', 'r1')).reason).toMatch(/^ssh-failed: its shell did not answer within 10 s$/);
  });
});

it('settings that cannot be read decline the run', async () => {
  const ssh = new SshRig('unreadable', () => {
    throw new Error('no such credentials');
  });
  ssh.prepare('r1');
  expect((await ssh.event('declined', 'r1')).reason).toBe('ssh-failed: Error: no such credentials');
});

/** What a device finds in /proc/net is what is in this folder. */
const showAsProcNet = ({ folder, bin }: SshServer, net: string): void => {
  const script = `export PATH=${bin}\nexec ash -c "\${2//\\/proc\\/net/${net.replaceAll('/', '\\/')}}"\n`;
  writeFileSync(join(folder, 'shell'), `#!/bin/busybox ash\n${script}`);
};

it('the traffic of a device with thousands of routes is known', async () => {
  const { ssh } = await device((server) => {
    const net = join(server.folder, 'net');
    mkdirSync(net);
    const many = (line: (hex: string) => string) =>
      Array.from({ length: 3000 }, (_, n) => line(n.toString(16).padStart(8, '0'))).join('\n');
    const zeros = '0'.repeat(32);
    writeFileSync(
      join(net, 'route'),
      `${many((hex) => `lan\t${hex}\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0  `)}\n`,
    );
    writeFileSync(
      join(net, 'ipv6_route'),
      `${many((hex) => `fd${hex.padEnd(30, '0')} 40 ${zeros} 00 ${zeros} 00000100 1 0 00000001 lan`)}
${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo
${zeros} 00 ${zeros} 00 fe800000000000000000000000000001 00000400 00000003 00000000 00000003  pppoe-wan\n`,
    );
    const counters = ['lo', 'lan', 'pppoe-wan'].map((name) => `${name.padStart(6)}: 9 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n`);
    writeFileSync(join(net, 'dev'), `Inter-|   Receive\n face |bytes\n${counters.join('')}`);
    showAsProcNet(server, net);
  });
  ssh.prepare('r1', [plan()], null, 1);
  await ssh.event('ready', 'r1');
  expect(ssh.log.of('warn')).toEqual([]);
});

it('a device whose traffic cannot be known is measured all the same, and that is logged', async () => {
  const { ssh } = await device((server) => showAsProcNet(server, '/nowhere'));
  ssh.prepare('r1', [plan()], null, 1);
  await ssh.event('ready', 'r1');
  expect(ssh.log.of('warn')).toMatchObject([{ fields: { problem: 'there is no default route' } }]);
});

describe('of a device that we are in', () => {
  const enter = async () => {
    const { server } = await device();
    const exits: unknown[] = [];
    const reach = { clock: systemClock, handshakes: new Handshakes(), keys: new PrivateKeys() };
    const connection = await connect(server.target(), { ...reach, signal: new AbortController().signal });
    onTestFinished(connection.cut);
    onTestFinished(() => rmSync('/tmp/perfleet-ssh-inside', { recursive: true }));
    const onExit = (key: number, exit: unknown) => exits.push([key, exit]);
    const remote = new Remote({ device: 'inside', connection, clock: systemClock, log: new RecordedLog(), onExit });
    await remote.enter();
    const spawn = (key: number, ms: number) =>
      remote.spawn({ kind: 'spawn', key, argv: [], env: {}, key_file: null, until_ms: systemClock.now() + ms });
    return { connection, remote, spawn, exits };
  };

  it('an iperf3 whose time is over is not started', async () => {
    const { spawn, exits } = await enter();
    spawn(4, 2900);
    expect(exits).toEqual([[4, { exit_code: null, stdout: '', stderr: 'perfleet: not started: its time was over' }]]);
  });

  it('nothing is said of an iperf3 once the connection is lost', async () => {
    const { connection, remote, spawn, exits } = await enter();
    expect(remote.unended()).toBe(null);
    connection.cut();
    await connection.closed;
    spawn(4, 60_000);
    await settled();
    expect(exits).toEqual([]);
    expect(remote.unended()).toEqual({ key: 4, stdout: '', stderr: '' });
  });
});
