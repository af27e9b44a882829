import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newKey } from '../../helpers/ssh-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { runAlone } from './small-controller.ts';
import { sshServer, sshWorld } from './ssh-world.ts';

const server = sshServer();
const OTHER = newKey('ed25519').public_key.trim();
const LAB = ['--ssh-credentials', 'lab'];

const registered = async () => {
  const { cli, places, world } = await sshWorld(server());
  await cli(['device', 'add', 'ap-1']);
  const [first = '', second = ''] = places;
  const ssh = (...argv: string[]) => cli(['device', 'ssh', 'ap-1', ...argv]);
  const stored = async () => JSON.parse((await cli(['device', 'show', 'ap-1', '--json'])).out).ssh;
  return { cli, world, first, second, ssh, stored };
};

it('a registered device gets SSH settings, others, and none again; it keeps its place in the registry', async () => {
  const { cli, first, second, ssh, stored } = await registered();
  const shown = `ssh-ed25519 ${server().fingerprint()}`;
  const set = await cli(['device', 'ssh', 'ap-1', first, ...LAB], 'y\n');
  expect(set.err).toContain(`ap-1, at ${first}, shows this host key:\n\n  ${shown}\n`);
  expect(set).toMatchObject({ code: 0, out: `ap-1 is measured over SSH at ${first}, with the host key ${shown}.\n` });
  const { out } = await cli(['device', 'list', '--json']);
  expect(JSON.parse(out)).toMatchObject([{ device: 'ap-1', via: 'ssh', online: true }]);
  const moved = await ssh(second, ...LAB, '--json');
  expect(JSON.parse(moved.out)).toEqual(await stored());
  expect(await stored()).toMatchObject({ host: '127.0.0.2', credentials: 'lab', host_key: server().hostKey() });
  expect((await ssh('--none')).out).toBe('ap-1 has no SSH settings any more: only its agent reaches it.\n');
  expect(JSON.parse((await ssh('--none', '--json')).out)).toEqual({ device: 'ap-1' });
  expect(await stored()).toBeNull();
  expect(JSON.parse((await cli(['device', 'list', '--json'])).out)).toMatchObject([{ online: false }]);
});

it('pins no key that nobody has vouched for', async () => {
  const { first, ssh, stored } = await registered();
  expect((await ssh(first, ...LAB)).err).toContain(
    'perfleet: the SSH settings of ap-1 stay as they were: nobody has confirmed its host key',
  );
  expect(await stored()).toBeNull();
  const known = join(tempFolder(), 'known_hosts');
  writeFileSync(known, `[127.0.0.1]:${server().port} ${server().hostKey('rsa')}\n`);
  await ssh(first, ...LAB, '--known-hosts', known);
  expect(await stored()).toMatchObject({ host_key: server().hostKey('rsa') });
  await ssh(first, ...LAB, '--host-key', OTHER);
  expect(await stored()).toMatchObject({ host_key: OTHER });
  await ssh(first, ...LAB, '--accept-host-key');
  expect(await stored()).toMatchObject({ host_key: server().hostKey() });
});

it('is refused for a place that is taken, without a user, and for a device that is not there', async () => {
  const { cli, world, first, ssh, stored } = await registered();
  await cli(['device', 'add', 'ap-2', '--ssh', first, ...LAB, '--accept-host-key']);
  const key = ['--host-key', OTHER];
  expect((await ssh(first, ...LAB, ...key)).err).toBe(
    `perfleet: device ap-1 can't be reached so over SSH\n  ssh: ap-2 is at 127.0.0.1, port ${server().port}, too: is it the same router?\n`,
  );
  expect((await ssh('192.0.2.1', '--ssh-credentials', 'behind', ...key)).err).toBe(
    "perfleet: device ap-1 can't be reached so over SSH\n  ssh: there is no user: write user@host, or set ssh_credentials.behind.user\n",
  );
  expect(await stored()).toBeNull();
  const settings = { user: 'root', host: '192.0.2.1', port: 22, credentials: 'lab', host_key: OTHER };
  const { sshSettings } = world.controller.fleet;
  for (const answer of [sshSettings.set('ap-3', settings), sshSettings.clear('ap-3')])
    expect(answer).toMatchObject({ ok: false, problem: { error: 'not-found' } });
});

it.each([
  [[], 'give either an address or --none'],
  [['root@192.0.2.1', '--none'], 'give either an address or --none'],
  [['--none', '--accept-host-key'], "option '--none' cannot be used with option '--accept-host-key'"],
])('%j is refused before the controller is asked', async (argv, why) => {
  expect(await runAlone(['device', 'ssh', 'ap-1', ...argv])).toMatchObject({
    code: 2,
    err: expect.stringContaining(why),
  });
});
