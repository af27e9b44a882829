import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { argv } from '../../../../agent/iperf3/argv.ts';
import { readTest } from '../../../../controller/results/read-test.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { Iperf3Server } from '../../../helpers/iperf3-server.ts';
import { Program } from '../../../helpers/program.ts';
import { onDevice } from '../../../helpers/remote-processes.ts';
import { plan, SshRig } from '../../../helpers/ssh-rig.ts';
import { SshServer } from '../../../helpers/ssh-server.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { until } from '../../../helpers/until.ts';

let iperf3: Iperf3Server;
beforeAll(async () => {
  iperf3 = await Iperf3Server.start(process.env);
});
afterAll(() => iperf3.end('SIGTERM'));

describe.each(['dropbear', 'sshd'] as const)('a run over SSH, with %s on the device', (kind) => {
  let server: SshServer;
  beforeAll(async () => {
    server = await new SshServer({ kind }).start();
  });
  afterAll(() => server.remove());

  const rig = (name: string) => {
    const made = new SshRig(`${kind}-${name}`, () => server.target());
    made.server = { host: '127.0.0.1', port: iperf3.port };
    return made;
  };

  it('says ready, started and finished, delivers the result, and leaves nothing behind', async () => {
    const ssh = rig('whole');
    const tests = [plan(), plan({ test: 'udp', protocol: 'udp', bitrate: 'auto' })];
    await ssh.begin('r1', 7, tests);
    const result = await ssh.result('r1');
    expect(ssh.messages.map(({ kind }) => kind)).toContain('status');
    expect(ssh.events('finished', 'r1')).toMatchObject([{ token: 7, boot: 'ssh-c1' }]);
    expect(result).toMatchObject({ run: 'r1', token: 7, boot: 'ssh-c1', tests: [{ exit_code: 0 }, { exit_code: 0 }] });
    result.tests.forEach((test, i) => {
      expect(readTest(test, tests[i] ?? null)).toMatchObject({ ok: true });
    });
    ssh.driver.accepted(ssh.device, 'r1', 7);
    await until('nothing is left', () => onDevice(ssh.device).length === 0);
    expect(readFileSync(`/tmp/perfleet-ssh-${ssh.device}/iperf3.pid`, 'utf8')).toBe('');
  });

  it('waits on deck with the shell already there, and runs exactly the arguments that an agent would', async () => {
    const ssh = rig('deck');
    ssh.prepare('r1');
    await ssh.event('ready', 'r1');
    const waiting = await until('a guard waits', () => onDevice(ssh.device).find(({ name }) => /sh$/.test(name)));
    expect(waiting.command).toContain(
      `iperf3 ${argv(plan(), { ...ssh.server, username: null, key_path: null }, null, '3.12').join(' ')}`,
    );
    ssh.start('r1', 1);
    await until('iperf3 runs', () => onDevice(ssh.device).find(({ name }) => name === 'iperf3'));
    // The same shell: nothing was opened after the start.
    expect(onDevice(ssh.device).map(({ pid }) => pid)).toContain(waiting.pid);
    await ssh.result('r1');
  });

  it('refuses a start whose nonce is too old, and a token that was used', async () => {
    const ssh = rig('late');
    ssh.prepare('r1');
    await ssh.event('ready', 'r1');
    ssh.start('r1', 1, 'a-nonce-of-long-ago');
    expect(await ssh.event('declined', 'r1')).toMatchObject({
      token: 1,
      reason: expect.stringMatching(/^nonce-too-old:/),
    });
    ssh.start('r1', 1);
    await until('it is declined again', () => ssh.events('declined', 'r1').length === 2);
    expect(ssh.events('started', 'r1')).toEqual([]);
  });

  it('takes a run off deck when it is cancelled, and its shell ends', async () => {
    const ssh = rig('off');
    ssh.prepare('r1');
    await ssh.event('ready', 'r1');
    await until('a guard waits', () => onDevice(ssh.device).length > 0);
    ssh.driver.cancel(ssh.device, 'r1', 'not wanted');
    await until('it waits no more', () => onDevice(ssh.device).length === 0);
  });

  it('keeps the password and the key of the server out of ps, and the key out of every folder', async () => {
    const folder = tempFolder();
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(folder, 'private.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const secret = 'se-cret\'"$HOME';
    const digest = execFileSync('sha256sum', { input: `{mario}${secret}`, encoding: 'utf8' }).split(' ')[0];
    writeFileSync(join(folder, 'users.csv'), `mario,${digest}\n`);
    const port = await freePort();
    const line = ['iperf3', '-s', '-B', '127.0.0.1', '-p', `${port}`, '--forceflush'];
    line.push(
      '--rsa-private-key-path',
      join(folder, 'private.pem'),
      '--authorized-users-path',
      join(folder, 'users.csv'),
    );
    const guarded = new Program(line, process.env);
    onTestFinished(() => guarded.end('SIGTERM').then(() => {}));
    await guarded.says(/Server listening/);

    const ssh = rig('auth');
    ssh.server = { host: '127.0.0.1', port };
    const public_key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    await ssh.begin('r1', 1, [plan(), plan({ test: 'again' })], { username: 'mario', password: secret, public_key });
    let seen = 0;
    while (ssh.events('finished', 'r1').length === 0) {
      for (const pid of processes()) {
        const command = commandLine(pid);
        expect(command).not.toContain('se-cret');
        expect(command).not.toContain('BEGIN PUBLIC KEY');
        if (!/^iperf3 .*--rsa-public-key-path/.test(command)) continue;
        const files = readdirSync(`/tmp/perfleet-ssh-${ssh.device}`);
        // Else it has ended meanwhile, and what is there is of the next test.
        if (commandLine(pid) !== command) continue;
        expect(files).toEqual(['iperf3.pid']);
        seen += 1;
      }
      await new Promise(setImmediate);
    }
    expect(seen).toBeGreaterThan(1);
    const { tests } = await ssh.result('r1');
    expect(tests.map((test) => readTest(test, null))).toMatchObject([{ ok: true }, { ok: true }]);
    expect(JSON.stringify(ssh.log.lines)).not.toContain('se-cret');
  });
});

/** Empty when it is gone. */
const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** All processes but this one, which knows the secrets. */
const processes = (): string[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
