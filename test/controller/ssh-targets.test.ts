import { expect, test } from 'vitest';
import type { Settings } from '../../controller/config/settings.ts';
import { sshTargetOf } from '../../controller/ssh-targets.ts';
import { worldSettings } from '../helpers/controller-fixture.ts';

const address = { user: 'root', host: '192.0.2.1', port: 22, host_key: 'ssh-ed25519 AAAA' };
const lab = { user: null, auth: { password: 'hunter2' }, proxy: null };
const device = (credentials: string | null) => ({
  organization: 'default',
  ssh: { ...address, credentials },
});
const settingsWith = (ssh: string | null): Settings => {
  const settings = worldSettings({ settings: { ssh_credentials: new Map([['lab', lab]]) } });
  for (const organization of settings.organizations.values()) organization.ssh = ssh;
  return settings;
};

test('a device is reached with its own credentials, or those of its organization', () => {
  const target = { ...address, auth: lab.auth, proxy: null };
  expect(sshTargetOf(device('lab'), settingsWith(null))).toEqual(target);
  expect(sshTargetOf(device(null), settingsWith('lab'))).toEqual(target);
});

test('a device without SSH settings has no target, nor has one that is not there', () => {
  expect(sshTargetOf({ ...device(null), ssh: null }, settingsWith('lab'))).toBeNull();
  expect(sshTargetOf(null, settingsWith('lab'))).toBeNull();
});

test.each([
  ['old', 'ssh-auth-failed: its credentials, ssh_credentials.old, are not in the configuration; known: lab'],
  [null, 'ssh-auth-failed: no credentials are named for it: do so, or in organizations.default.ssh'],
])('with the credentials %s, which nobody has, it cannot be reached, and why is said', (credentials, message) => {
  expect(sshTargetOf(device(credentials), settingsWith(null))).toMatchObject({ code: 'ssh-auth-failed', message });
});

test('a set that is gone while there is no other is said so', () => {
  const settings = { ...settingsWith(null), ssh_credentials: new Map() };
  expect(sshTargetOf(device('lab'), settings)).toMatchObject({ message: expect.stringContaining('known: none') });
});
