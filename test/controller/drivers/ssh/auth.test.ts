import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { SshAuth, SshTarget } from '../../../../controller/drivers/ssh/target.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { ManualClock } from '../../../helpers/manual-clock.ts';
import { Program } from '../../../helpers/program.ts';
import { SshRig } from '../../../helpers/ssh-rig.ts';
import { newKey, PASSWORD, SshServer } from '../../../helpers/ssh-server.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { until } from '../../../helpers/until.ts';

/** What a device answers to a `prepare`. */
const answer = async (ssh: SshRig) => {
  ssh.prepare('r1');
  return until('an answer', () => ssh.events('ready', 'r1')[0] ?? ssh.events('declined', 'r1')[0], 20);
};

const READY = { type: 'ready' };
const declined = (reason: RegExp) => ({
  type: 'declined',
  token: null,
  nonce: null,
  reason: expect.stringMatching(reason),
});

const keys = {
  ed25519: newKey('ed25519'),
  rsa: newKey('rsa'),
  encrypted: newKey('ed25519', 'open sesame'),
  unknown: newKey('ed25519'),
};

/** An SSH agent that knows a key; returns the path of its socket. */
const agent = async (key: string): Promise<string> => {
  const folder = tempFolder();
  const socket = join(folder, 'socket');
  const program = new Program(['ssh-agent', '-D', '-a', socket], process.env);
  onTestFinished(() => program.end('SIGTERM').then(() => {}));
  writeFileSync(join(folder, 'key'), key, { mode: 0o600 });
  const add = () =>
    new Promise<boolean>((resolve) => {
      const child = spawn('ssh-add', ['-q', join(folder, 'key')], {
        env: { ...process.env, SSH_AUTH_SOCK: socket },
        stdio: 'ignore',
      });
      child.once('exit', (code) => resolve(code === 0));
    });
  await until('the agent has the key', add);
  return socket;
};

describe.each(['dropbear', 'sshd'] as const)('%s on the device', (kind) => {
  let server: SshServer;
  beforeAll(async () => {
    server = new SshServer({ kind, host_keys: ['ed25519', 'rsa'] });
    for (const { public_key } of [keys.ed25519, keys.rsa, keys.encrypted]) server.allow(public_key);
    await server.start();
  });
  afterAll(() => server.remove());

  const ask = (differences: Partial<SshTarget>) => answer(new SshRig(`${kind}-auth`, () => server.target(differences)));

  it.each<[string, SshAuth]>([
    ['an Ed25519 key', { key: keys.ed25519.key, passphrase: null }],
    ['an RSA key', { key: keys.rsa.key, passphrase: null }],
    ['a key with a passphrase', { key: keys.encrypted.key, passphrase: 'open sesame' }],
    ['a password', { password: PASSWORD }],
  ])('lets us in with %s', async (_what, auth) => {
    expect(await ask({ auth })).toMatchObject(READY);
  });

  it('lets us in with a key that only an SSH agent knows', async () => {
    expect(await ask({ auth: { agent: await agent(keys.ed25519.key) } })).toMatchObject(READY);
  });

  it.each<[string, SshAuth, RegExp]>([
    [
      'an unknown key',
      { key: keys.unknown.key, passphrase: null },
      /^ssh-auth-failed: router@127.*did not take the key$/,
    ],
    ['a wrong password', { password: 'wrong horse' }, /^ssh-auth-failed: .*did not take the password$/],
    [
      'a wrong passphrase',
      { key: keys.encrypted.key, passphrase: 'open barley' },
      /^ssh-auth-failed: the private key for router@.* cannot be read/,
    ],
    ['no passphrase', { key: keys.encrypted.key, passphrase: null }, /^ssh-auth-failed: .*no passphrase given/],
    ['no key at all', { key: 'nonsense', passphrase: null }, /^ssh-auth-failed: .*cannot be read/],
    ['an SSH agent that is not there', { agent: '/nowhere/socket' }, /^ssh-auth-failed: .*the SSH agent: /],
  ])('is declined with %s, and no secret is told', async (_what, auth, reason) => {
    const ssh = new SshRig(`${kind}-refused`, () => server.target({ auth }));
    expect(await answer(ssh)).toMatchObject(declined(reason));
    expect(JSON.stringify([ssh.log.lines, ssh.messages])).not.toMatch(/horse|barley|sesame|BEGIN/);
  });

  it('is declined when an SSH agent knows no key that it takes', async () => {
    const auth = { agent: await agent(keys.unknown.key) };
    expect(await ask({ auth })).toMatchObject(declined(/^ssh-auth-failed: .*any key of the SSH agent$/));
  });

  it('is known by its RSA host key, too', async () => {
    expect(await ask({ host_key: server.hostKey('rsa') })).toMatchObject(READY);
  });

  it('is sent nothing when its host key is not the pinned one', async () => {
    const before = server.log;
    const host_key = newKey('ed25519').public_key.trim();
    const answered = await ask({ host_key, auth: { password: PASSWORD } });
    expect(answered).toMatchObject(declined(/^host-key-changed: .*it shows the key SHA256:.*, pinned is SHA256:/));
    expect(JSON.stringify(answered)).toContain(server.fingerprint());
    expect(server.log.slice(before.length)).not.toMatch(/password|auth succeeded|Accepted|Failed/i);
  });

  it('is sent nothing when it has no host key of the pinned type any more', async () => {
    const host_key = `ecdsa-sha2-nistp256 ${Buffer.from('\0\0\0\x13ecdsa-sha2-nistp256', 'latin1').toString('base64')}`;
    expect(await ask({ host_key })).toMatchObject(declined(/^host-key-changed: .*no ecdsa-sha2-nistp256 key any more/));
  });

  it('is not asked when what is pinned is no host key', async () => {
    expect(await ask({ host_key: 'ssh-ed25519 AAAA' })).toMatchObject(declined(/^host-key-changed: .*is no host key/));
  });

  it('shows its host key', async () => {
    const ssh = new SshRig('new', () => null);
    expect(await ssh.driver.fetchHostKey(server.host, server.port, null)).toEqual({
      host_key: server.hostKey(),
      fingerprint: server.fingerprint(),
    });
  });

  it('is reached through a jump host, whose key and credentials count as well', async () => {
    const jump = new SshServer({ kind: kind === 'sshd' ? 'dropbear' : 'sshd' });
    onTestFinished(() => jump.remove());
    await jump.start();
    const ssh = new SshRig(`${kind}-jump`, () => server.target({ proxy: jump.target() }));
    expect(await answer(ssh)).toMatchObject(READY);
    expect((await ssh.driver.fetchHostKey(server.host, server.port, jump.target())).host_key).toBe(server.hostKey());
    await ssh.driver.stop();

    const wrong = jump.target({ host_key: newKey('ed25519').public_key.trim() });
    expect(await ask({ proxy: wrong })).toMatchObject(declined(/^host-key-changed: the jump host router@/));
    const stranger = jump.target({ auth: { password: 'wrong horse' } });
    expect(await ask({ proxy: stranger })).toMatchObject(declined(/^ssh-auth-failed: the jump host router@/));
    const nobody = { port: await freePort(), proxy: jump.target() };
    expect(await ask(nobody)).toMatchObject(declined(/^device-unreachable: router@.*through the jump host: /));
  });
});

it('a server that asks for the password in a dialogue is answered, and told nothing else', async () => {
  const { key, public_key } = newKey('ed25519');
  const dialogues: unknown[] = [];
  const server = new ssh2.Server({ hostKeys: [key] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
      const prompts = [
        { prompt: 'Name of your cat', echo: true },
        { prompt: 'Password', echo: false },
      ];
      context.prompt(prompts, (answers) => {
        dialogues.push(answers);
        context.reject();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await until('it listens', () => server.address() !== null);
  onTestFinished(() => void server.close());
  const address = server.address() as AddressInfo;
  const target = { host: '127.0.0.1', port: address.port, user: 'root', host_key: public_key.trim(), proxy: null };
  const ssh = new SshRig('dialogue', () => ({ ...target, auth: { password: PASSWORD } }));
  expect(await answer(ssh)).toMatchObject(declined(/^ssh-auth-failed:/));
  expect(dialogues).toEqual([['', PASSWORD]]);
});

it('a router fresh from the factory, with a blank password, is asked without one first', async () => {
  const { key, public_key } = newKey('ed25519');
  const methods: string[] = [];
  const server = new ssh2.Server({ hostKeys: [key] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      methods.push(context.method);
      context.accept();
    });
  });
  server.listen(0, '127.0.0.1');
  await until('it listens', () => server.address() !== null);
  onTestFinished(() => void server.close());
  const address = server.address() as AddressInfo;
  const target = { host: '127.0.0.1', port: address.port, user: 'root', host_key: public_key.trim(), proxy: null };
  const ssh = new SshRig('blank', () => ({ ...target, auth: { password: '' } }));
  // It lets us in, but runs nothing.
  expect(await answer(ssh)).toMatchObject(declined(/^device-unreachable: .*runs no commands/));
  expect(methods).toEqual(['none']);
});

it('a device without SSH settings is declined', async () => {
  expect(await answer(new SshRig('none', () => null))).toMatchObject(
    declined(/^device-unreachable: it has no SSH settings$/),
  );
});

describe('a device that cannot be reached', () => {
  /** Accepts connections and does with them what it likes. */
  const listener = async (say: string | null) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      if (say !== null) socket.end(say);
    }).listen(0, '127.0.0.1');
    await until('it listens', () => server.listening);
    onTestFinished(() => void server.close());
    return (server.address() as AddressInfo).port;
  };
  const target = (port: number): SshTarget => ({
    ...{ host: '127.0.0.1', port, user: 'root', proxy: null },
    host_key: newKey('ed25519').public_key.trim(),
    auth: { password: PASSWORD },
  });

  it('shows no host key', async () => {
    const { driver } = new SshRig('new', () => null);
    await expect(driver.fetchHostKey('127.0.0.1', await freePort(), null)).rejects.toMatchObject({
      code: 'device-unreachable',
      message: expect.stringMatching(/^device-unreachable: 127.0.0.1:\d+: .*ECONNREFUSED/),
    });
  });

  it('is declined when nobody listens, and a start has no answer', async () => {
    const port = await freePort();
    const ssh = new SshRig('refused', () => target(port));
    ssh.start('r0', 1, 'nonce');
    expect(await answer(ssh)).toMatchObject(declined(/^device-unreachable: root@127.*ECONNREFUSED/));
    expect(ssh.events('declined', 'r0')).toEqual([]);
  });

  it.each(['SSH-2.0-dropbear\r\n', 'HTTP/1.0 400 Bad Request\r\n\r\n', ''])(
    'is declined when it says "%s" and leaves',
    async (say) => {
      const port = await listener(say);
      expect(await answer(new SshRig('odd', () => target(port)))).toMatchObject(declined(/^device-unreachable: root@/));
    },
  );

  it('is declined after 9 s when it accepts the connection and says nothing', async () => {
    const port = await listener(null);
    const clock = new ManualClock();
    const ssh = new SshRig('silent', () => target(port), { clock });
    ssh.prepare('r1');
    // The queue admits it at once, in a later turn of the loop.
    await new Promise(setImmediate);
    clock.advance(8999);
    await new Promise(setImmediate);
    expect(ssh.messages).toEqual([]);
    clock.advance(1);
    expect(await ssh.event('declined', 'r1')).toMatchObject(
      declined(/^device-unreachable: .*no SSH server answered within 9 s$/),
    );
  });
});
