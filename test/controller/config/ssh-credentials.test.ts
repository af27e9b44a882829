import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSettings } from '../../../controller/config/load-settings.ts';
import { SECRET, secretFolder } from './secrets.ts';

const PEM = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICD19veSvdlu5TJJMV1X58oh21nTSPZNjXtBb5ckFp76';

const read = (yaml: string, folder = secretFolder()) => {
  const outcome = parseSettings(`http: { token_file: http-token }\n${yaml}`, folder, {});
  if (!outcome.ok) expect.fail(JSON.stringify(outcome.problems));
  return outcome;
};

test('a set logs in with a key, a password or the agent behind a socket', () => {
  const folder = secretFolder();
  const { settings, warnings } = read(
    `ssh_credentials:
  key: { user: root, key_file: key.pem, passphrase_file: password }
  password: { password_file: password }
  agent: { agent_socket: agent.sock }
organizations: { acme: { ssh: key } }`,
    folder,
  );
  expect(warnings).toEqual([]);
  expect(settings.ssh_credentials).toEqual(
    new Map([
      ['key', { user: 'root', auth: { key: PEM, passphrase: SECRET }, proxy: null }],
      ['password', { user: null, auth: { password: SECRET }, proxy: null }],
      ['agent', { user: null, auth: { agent: join(folder, 'agent.sock') }, proxy: null }],
    ]),
  );
  expect(settings.organizations.get('acme')?.ssh).toBe('key');
  expect(settings.organizations.get('default')?.ssh).toBeNull();
});

test('a file with nothing in it is a blank password, but no passphrase', () => {
  const folder = secretFolder();
  writeFileSync(join(folder, 'blank'), '\n', { mode: 0o600 });
  const { settings } = read('ssh_credentials: { factory: { user: root, password_file: blank } }', folder);
  expect(settings.ssh_credentials.get('factory')?.auth).toEqual({ password: '' });
  const locked = 'ssh_credentials: { locked: { key_file: key.pem, passphrase_file: blank } }';
  expect(parseSettings(`http: { token_file: http-token }\n${locked}`, folder, {})).toMatchObject({
    ok: false,
    problems: [{ found: 'a file of that name is empty' }],
  });
});

test('a jump host takes the same credentials, or those of another set, and is reached through the jump host of that set', () => {
  const { settings } = read(`ssh_credentials:
  same: { key_file: key.pem, proxy: "ops@jump.example.net:2222", proxy_host_key: ${KEY} }
  other: { password_file: password, proxy: ops@inner, proxy_host_key: ${KEY}, proxy_credentials: same }`);
  const outer = {
    user: 'ops',
    host: 'jump.example.net',
    port: 2222,
    host_key: KEY,
    auth: { key: PEM, passphrase: null },
    proxy: null,
  };
  expect(settings.ssh_credentials.get('same')?.proxy).toEqual(outer);
  expect(settings.ssh_credentials.get('other')?.proxy).toEqual({ ...outer, host: 'inner', port: 22, proxy: outer });
});

test('a key that everybody may read is warned of', () => {
  const folder = secretFolder();
  writeFileSync(join(folder, 'open.pem'), PEM, { mode: 0o644 });
  expect(read('ssh_credentials: { lab: { key_file: open.pem } }', folder).warnings).toEqual([
    'ssh_credentials.lab.key_file: everybody on this machine can read a file of that name: chmod o= it',
  ]);
});
