import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../broker/clock.ts';
import { connect } from '../../../../controller/drivers/ssh/connection.ts';
import { Handshakes } from '../../../../controller/drivers/ssh/handshakes.ts';
import { PrivateKeys } from '../../../../controller/drivers/ssh/private-keys.ts';
import { Remote } from '../../../../controller/drivers/ssh/remote.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { onDevice } from '../../../helpers/remote-processes.ts';
import { plan, SshRig } from '../../../helpers/ssh-rig.ts';
import type { SshServer } from '../../../helpers/ssh-server.ts';
import { until } from '../../../helpers/until.ts';

import { device, settled } from './hasty-device.ts';

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
