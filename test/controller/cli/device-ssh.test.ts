import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newKey } from '../../helpers/ssh-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { runAlone } from './small-controller.ts';
import { sshServer, sshWorld } from './ssh-world.ts';

const server = sshServer();
const OTHER = newKey('ed25519').public_key.trim();
const ELSEWHERE = `SHA256:${'a'.repeat(43)}`;

const add = (device: string, address: string, ...more: string[]) => [
  ...['device', 'add', device, '--ssh', address, '--ssh-credentials', 'lab'],
  ...more,
];

describe('device add --ssh', () => {
  it('shows the host key, and pins it when somebody says that it is right', async () => {
    const { cli, at } = await sshWorld(server());
    const added = await cli(add('ap-1', at), 'y\n');
    expect(added.err).toContain(`ap-1, at ${at}, shows this host key:\n\n  ssh-ed25519 ${server().fingerprint()}\n`);
    expect(added.err).toContain('Is it the right one? [y/N]');
    expect(added).toMatchObject({ code: 0, out: expect.stringContaining(`measured over SSH, at ${at}`) });
    const { out } = await cli(['device', 'show', 'ap-1']);
    expect(out).toContain(`ssh           ${at}
credentials   lab
host key      ssh-ed25519 ${server().fingerprint()}
`);
    const { ssh } = JSON.parse((await cli(['device', 'show', 'ap-1', '--json'])).out);
    expect(ssh.host_key).toBe(server().hostKey());
  });

  it.each(['n\n', '\n', ''])('adds nothing when the answer is %j', async (answer) => {
    const { world, cli, at } = await sshWorld(server());
    const { code, err } = await cli(add('ap-1', at), answer);
    expect(code).toBe(1);
    expect(err).toContain('ap-1 was not added: its host key was not confirmed');
    expect(world.controller.fleet.devices.list()).toEqual([]);
  });

  it('without a terminal takes no key silently: its fingerprint, the key itself, or an explicit word is needed', async () => {
    const { cli, at, places } = await sshWorld(server());
    const [, second = '', third = ''] = places;
    const fingerprint = server().fingerprint();
    expect(await cli(add('ap-1', at))).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(
        `perfleet: ap-1 was not added: nobody has confirmed its host key. Compare it, and give --host-key '${fingerprint}'\n`,
      ),
    });
    expect(await cli(add('ap-1', at, '--host-key', ELSEWHERE))).toMatchObject({
      code: 1,
      err: `perfleet: ap-1 was not added: it shows the key ${fingerprint}, expected is ${ELSEWHERE}\n`,
    });
    expect(await cli(add('ap-1', at, '--host-key', fingerprint))).toMatchObject({ code: 0, err: '' });
    expect(await cli(add('ap-2', second, '--host-key', OTHER))).toMatchObject({ code: 0, err: '' });
    expect(await cli(add('ap-3', third, '--accept-host-key'))).toMatchObject({
      code: 0,
      err: expect.stringContaining(fingerprint),
    });
  });

  it('takes the key of known hosts, and none that is revoked there', async () => {
    const { cli, at, places } = await sshWorld(server());
    const [, second = ''] = places;
    const file = join(tempFolder(), 'known_hosts');
    const name = `[127.0.0.*]:${server().port}`;
    writeFileSync(file, `${name} ${server().hostKey('rsa')}\n`);
    await cli(add('ap-1', at, '--known-hosts', file));
    expect((await cli(['device', 'show', 'ap-1'])).out).toContain(`ssh-rsa ${server().fingerprint('rsa')}`);
    writeFileSync(file, `@revoked ${name} ${server().hostKey()}\n`);
    for (const more of [['--accept-host-key'], ['--host-key', server().fingerprint()]])
      expect((await cli(add('ap-2', second, '--known-hosts', file, ...more))).err).toBe(
        `perfleet: ap-2 was not added: it shows the key ${server().fingerprint()}, which the known hosts say is revoked\n`,
      );
    expect((await cli(add('ap-2', second, '--known-hosts', file, '--host-key', server().hostKey()))).err).toBe(
      'perfleet: ap-2 was not added: the known hosts say that its key is revoked\n',
    );
  });

  it('goes through the jump host, which must show its own key', async () => {
    const { cli, at, places } = await sshWorld(server());
    const through = (device: string, address: string, credentials: string) =>
      cli(['device', 'add', device, '--ssh', address, '--ssh-credentials', credentials, '--accept-host-key']);
    expect(await through('ap-1', at, 'behind')).toMatchObject({ code: 0 });
    expect((await through('ap-2', 'router@127.0.0.1:1', 'behind')).err).toMatch(
      /^perfleet: ap-2 was not added: device-unreachable: 127\.0\.0\.1:1: through the jump host: /,
    );
    expect((await through('ap-2', places[1] ?? '', 'astray')).err).toMatch(
      /^perfleet: ap-2 was not added: host-key-changed: the jump host router@127\.0\.0\.1:\d+: it shows the key SHA256:/,
    );
  });

  it('says what is wrong with the device before anybody is asked', async () => {
    const { cli, at } = await sshWorld(server());
    const refused = (...argv: string[]) => cli(['device', 'add', 'ap-1', ...argv], 'y\n');
    const begin = "perfleet: device ap-1 can't be added\n  ";
    expect((await refused('--ssh', at)).err).toBe(
      `${begin}ssh_credentials: none are named, and organizations.default.ssh names none either\n`,
    );
    expect((await refused('--ssh', at, '--ssh-credentials', 'lba')).err).toBe(
      `${begin}ssh_credentials: lba is not in the configuration; known: lab, behind, astray\n`,
    );
    expect((await refused('--ssh', '192.0.2.1', '--ssh-credentials', 'behind')).err).toBe(
      `${begin}ssh: there is no user: write user@host, or set ssh_credentials.behind.user\n`,
    );
    expect((await refused('--ssh', at, '--organization', 'nobody')).err).toBe(
      `${begin}organization: nobody is not in the configuration; known: default\n`,
    );
    await cli(add('ap-1', at, '--accept-host-key'));
    expect((await refused('--ssh', at, '--ssh-credentials', 'lab')).err).toBe(
      `${begin}device: it is registered already\n`,
    );
  });

  it('takes no router under two names, also when nobody has asked before', async () => {
    const { world, cli, at } = await sshWorld(server());
    await cli(add('ap-1', at, '--accept-host-key'));
    const why = `ssh: ap-1 is at 127.0.0.1, port ${server().port}, too: is it the same router?`;
    expect((await cli(add('ap-2', at, '--accept-host-key'))).err).toBe(
      `perfleet: device ap-2 can't be added\n  ${why}\n`,
    );
    const ssh = { user: 'root', host: '127.0.0.1', port: server().port, credentials: 'lab', host_key: OTHER };
    const about = { organization: 'default', tags: [], uplink_group: null, ssh };
    expect(world.controller.fleet.devices.add({ device: 'ap-2', ...about })).toMatchObject({
      ok: false,
      problem: { error: 'bad-request', problems: [why] },
    });
    expect(world.controller.fleet.devices.add({ device: 'ap-1', ...about })).toMatchObject({
      problem: { error: 'conflict' },
    });
  });

  it.each([
    [['--ssh', 'root:secret@x'], 'Expected user@host or user@host:port'],
    [['--ssh', 'root@x', '--host-key', 'MD5:00'], 'Expected a fingerprint, SHA256:…'],
    [['--host-key', ELSEWHERE], '--accept-host-key go with --ssh'],
  ])('%j is refused before the controller is asked', async (argv, why) => {
    expect(await runAlone(['device', 'add', 'ap-1', ...argv])).toMatchObject({
      code: 2,
      err: expect.stringContaining(why),
    });
  });
});

describe('device trust', () => {
  it('shows the old and the new key, and pins the very one that was shown', async () => {
    const { cli, at } = await sshWorld(server());
    await cli(add('ap-1', at, '--host-key', OTHER));
    const refused = await cli(['device', 'trust', 'ap-1']);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('the host key of ap-1 stays as it was: nobody has confirmed its host key');
    const trusted = await cli(['device', 'trust', 'ap-1'], 'yes\n');
    expect(trusted.err).toContain(`shows another host key:\n\n  pinned  ssh-ed25519 SHA256:`);
    expect(trusted.err).toContain(`\n  shown   ssh-ed25519 ${server().fingerprint()}\n`);
    expect(trusted.out).toBe(`ap-1 is trusted with the host key ssh-ed25519 ${server().fingerprint()}.\n`);
    const again = await cli(['device', 'trust', 'ap-1', '--json']);
    expect(again.err).toContain('shows the host key that is pinned');
    expect(JSON.parse(again.out)).toMatchObject({ host_key: server().hostKey(), fingerprint: server().fingerprint() });
  });

  it('needs no answer with the right fingerprint, or with an explicit word', async () => {
    const { cli, places } = await sshWorld(server());
    for (const [device, at = '', ...how] of [
      ['ap-1', places[0], '--host-key', server().fingerprint()],
      ['ap-2', places[1], '--accept-host-key'],
    ] as const) {
      await cli(add(device, at, '--host-key', OTHER));
      expect(await cli(['device', 'trust', device, ...how])).toMatchObject({
        code: 0,
        out: expect.stringContaining(server().fingerprint()),
      });
    }
  });

  it('is refused for a device that only its agent reaches, and for one that is not there', async () => {
    const { world, cli } = await sshWorld(server());
    await cli(['device', 'add', 'ap-1']);
    expect((await cli(['device', 'trust', 'ap-1'])).err).toBe(
      'perfleet: device ap-1 has no SSH settings: only its agent reaches it\n',
    );
    const { hostKeys } = world.controller.fleet;
    expect(hostKeys.trust('ap-1', { host_key: OTHER })).toMatchObject({ ok: false, problem: { error: 'conflict' } });
    expect(hostKeys.trust('ap-2', { host_key: OTHER })).toMatchObject({ ok: false, problem: { error: 'not-found' } });
  });
});
