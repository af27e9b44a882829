import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newKey } from '../../helpers/ssh-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { sshServer, sshWorld } from './ssh-world.ts';

const server = sshServer('sshd');
const OTHER = newKey('ed25519').public_key.trim();
const HEADER = 'device,ssh,ssh_credentials,host_key,organization';

const importing = async () => {
  const { world, cli, at, places } = await sshWorld(server());
  const folder = tempFolder();
  const file = join(folder, 'devices.csv');
  const take = (lines: string[], ...flags: string[]) => {
    writeFileSync(file, `${[HEADER, ...lines].join('\n')}\n`);
    return cli(['device', 'import', file, ...flags]);
  };
  const names = () => world.controller.fleet.devices.list().map(({ device }) => device);
  return { world, cli, at, places, folder, file, take, names };
};

it('adds thousands of devices at once, those over SSH with the key that was told, and prints their passwords as CSV', async () => {
  const { world, take, names } = await importing();
  const lines = Array.from({ length: 5000 }, (_, index) => `d-${index},router@192.0.2.1:${index + 1},lab,${OTHER},`);
  const { code, out, err } = await take(lines);
  expect(code).toBe(0);
  expect(err).toMatch(/^5000 devices are registered\. Their passwords:\nThey are stored only as hashes/);
  const rows = out.trimEnd().split('\n');
  expect(rows).toHaveLength(5001);
  expect(rows[0]).toBe('device,username,password');
  expect(rows[1]).toMatch(/^d-0,d-0,[\w-]{32}$/);
  expect(names()).toHaveLength(5000);
  expect(world.controller.fleet.devices.get('d-4999')).toMatchObject({
    value: { ssh: { user: 'router', host: '192.0.2.1', port: 5000, credentials: 'lab', host_key: OTHER } },
  });
});

it('adds none when anything is wrong, and says all of it: the text, the controller, the devices', async () => {
  const { at, places, take, names } = await importing();
  const { code, out, err } = await take(
    [
      'good,,,,',
      `seen,${at},lab,,`,
      'a b,,,,',
      'strange,,,,nobody',
      `moved,${places[1]},lab,SHA256:${'a'.repeat(43)},`,
      'away,router@127.0.0.1:1,lab,,',
      'lost-1,router@192.0.2.1,,,',
      'lost-2,router@192.0.2.2,,,',
    ],
    '--accept-host-keys',
  );
  expect([code, out]).toEqual([1, '']);
  expect(
    err
      .split('\n')
      .filter((row) => row.startsWith('  '))
      .map((row) => row.trim()),
  ).toEqual([
    'line 4: device: "a b", expected 1 to 64 letters, digits, "_" or "-"',
    'line 5: organization: nobody is not in the configuration; known: default',
    `line 6: ssh: it shows the key ${server().fingerprint()}, expected is SHA256:${'a'.repeat(43)}`,
    expect.stringMatching(/^line 7: ssh: device-unreachable: 127\.0\.0\.1:1: .*ECONNREFUSED/),
    '2 lines: ssh_credentials: none are named, and organizations.default.ssh names none either',
    '8-9',
  ]);
  expect(names()).toEqual([]);
});

it('fetches the keys that nobody told only when somebody says that whatever is shown is right', async () => {
  const { world, places, take, names } = await importing();
  const lines = places.map((at, index) => `d-${index},${at},lab,,`);
  const refused = await take(lines);
  expect(refused.err).toContain('  8 lines: ssh: nobody knows its host key: fill column host_key');
  expect(names()).toEqual([]);
  const { code, err } = await take(lines, '--accept-host-keys');
  expect(code).toBe(0);
  expect(err.split('\n').slice(0, 8).at(-1)).toBe('host keys: 8 of 8');
  expect(world.controller.fleet.devices.get('d-7')).toMatchObject({
    value: { ssh: { host_key: server().hostKey() } },
  });
});

it('takes keys from known hosts, and none that is revoked there', async () => {
  const { places, folder, take } = await importing();
  const known = join(folder, 'known_hosts');
  writeFileSync(known, `[127.0.0.*]:${server().port} ${server().hostKey()}\n@revoked 192.0.2.1 ${OTHER}\n`);
  const good = [`ap-1,${places[0]},lab,,`, `ap-2,${places[1]},lab,${server().fingerprint()},`];
  expect(await take([...good, `ap-3,router@192.0.2.1,lab,${OTHER},`], '--known-hosts', known)).toMatchObject({
    code: 1,
    err: expect.stringContaining('\n  line 4: ssh: the known hosts say that its key is revoked\n'),
  });
  expect(await take(good, '--known-hosts', known)).toMatchObject({ code: 0 });
});

it('only looks with --dry-run', async () => {
  const { at, file, take, names } = await importing();
  const lines = ['ap-1,,,,', `ap-2,${at},lab,${server().fingerprint()},`];
  expect(await take(lines, '--dry-run')).toEqual({
    code: 0,
    out: `${file} is fine: 2 devices, 1 of them over SSH. Nothing was added.\n`,
    err: 'host keys: 1 of 1\n',
  });
  const nothing = { added: 0, problems: [], credentials: [] };
  expect(JSON.parse((await take(lines, '--dry-run', '--json')).out)).toEqual(nothing);
  expect(names()).toEqual([]);
});

it('keeps the passwords in a new file that nobody else can read', async () => {
  const { folder, take, names } = await importing();
  const kept = join(folder, 'kept.csv');
  expect(await take(['ap-1,,,,'], '--credentials', kept)).toEqual({
    code: 0,
    out: '',
    err: `1 device is registered. Their passwords are in ${kept}.\nThey are stored only as hashes and are never shown again: keep them now.\n`,
  });
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  expect(readFileSync(kept, 'utf8')).toMatch(/^device,username,password\nap-1,ap-1,[\w-]{32}\n$/);
  expect((await take(['ap-2,,,,'], '--credentials', kept)).err).toMatch(/^perfleet: no device was added: .*EEXIST/);
  expect(names()).toEqual(['ap-1']);
});

it('leaves no file behind when the controller adds nothing', async () => {
  const { world, folder, take } = await importing();
  const kept = join(folder, 'kept.csv');
  world.controller.fleet.devices.addAll = () => ({
    ok: false,
    problem: { error: 'conflict', message: 'somebody was faster', problems: [] },
  });
  expect((await take(['ap-1,,,,'], '--credentials', kept)).err).toBe('perfleet: somebody was faster\n');
  expect(existsSync(kept)).toBe(false);
});

it('prints JSON: what was added, or the problems with their lines', async () => {
  const { take } = await importing();
  const { added, credentials } = JSON.parse((await take(['ap-1,,,,'], '--json')).out);
  expect([added, credentials]).toEqual([1, [{ device: 'ap-1', username: 'ap-1', password: expect.any(String) }]]);
  const again = await take(['ap-1,,,,'], '--json');
  expect(again.code).toBe(1);
  const problems = [{ line: 2, message: 'device: it is registered already' }];
  expect(JSON.parse(again.out)).toEqual({ added: 0, problems, credentials: [] });
});

it('is refused by the controller itself, all or none, also when nobody has asked before', async () => {
  const { world, names } = await importing();
  const device = (name: string) => ({ device: name, organization: 'default', tags: [], uplink_group: null });
  const { devices } = world.controller.fleet;
  expect(devices.addAll([device('ap-1'), device('ap-1'), { ...device('ap-2'), organization: 'acme' }])).toEqual({
    ok: false,
    problem: {
      error: 'bad-request',
      message: 'no device was added',
      problems: [
        'devices.1: device: it stands here twice',
        'devices.2: organization: acme is not in the configuration; known: default',
      ],
    },
  });
  expect(names()).toEqual([]);
});

it('takes no router twice: not within the file, not beside those that are registered, on whichever way through a jump host', async () => {
  const { take, names } = await importing();
  expect(await take([`ap-1,router@gw.example.net,lab,${OTHER},`])).toMatchObject({ code: 0 });
  const again = await take([
    `ap-2,root@GW.example.net:22,lab,${OTHER},`,
    `ap-3,router@192.0.2.3,lab,${OTHER},`,
    `ap-4,router@192.0.2.3,behind,${OTHER},`,
    `ap-5,router@192.0.2.3,lab,${OTHER},`,
    `ap-6,router@192.0.2.3,astray,${OTHER},`,
    `ap-7,router@192.0.2.3:2222,lab,${OTHER},`,
  ]);
  expect(again.code).toBe(1);
  expect(again.err.split('\n').filter((row) => row.startsWith('  '))).toEqual([
    '  line 2: ssh: ap-1 is at GW.example.net, port 22, too: is it the same router?',
    '  line 5: ssh: ap-3 is at 192.0.2.3, port 22, too: is it the same router?',
    '  line 6: ssh: ap-4 is at 192.0.2.3, port 22, too: is it the same router?',
  ]);
  expect(names()).toEqual(['ap-1']);
});

it('says of a file that is no text, or not there, that it cannot be read', async () => {
  const { cli, file } = await importing();
  expect((await cli(['device', 'import', file])).err).toMatch(/^perfleet: cannot read the devices: ENOENT/);
  writeFileSync(file, '\x89PNG\r\n', 'latin1');
  expect((await cli(['device', 'import', file])).err).toBe(`perfleet: ${file} is no text in UTF-8\n`);
});
