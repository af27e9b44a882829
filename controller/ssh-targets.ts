import type { Settings, SshCredentials } from './config/settings.ts';
import { SshFailure } from './drivers/ssh/ssh-failure.ts';
import type { SshTarget } from './drivers/ssh/target.ts';
import type { DeviceRow } from './store/devices.ts';

type Sections = Pick<Settings, 'organizations' | 'ssh_credentials'>;

/** The name of the credentials of a device: its own, else that of its organization, else null. */
export const credentialsNameOf = (
  organization: string,
  own: string | null,
  { organizations }: Pick<Sections, 'organizations'>,
): string | null => own ?? organizations.get(organization)?.ssh ?? null;

/** The credentials themselves; an `ssh-auth-failed` that says what is missing when there are none. */
export const sshCredentialsOf = (
  organization: string,
  own: string | null,
  settings: Sections,
): SshCredentials | SshFailure => {
  const name = credentialsNameOf(organization, own, settings);
  if (name === null) {
    const why = `no credentials are named for it: do so, or in organizations.${organization}.ssh`;
    return new SshFailure('ssh-auth-failed', why);
  }
  const known = [...settings.ssh_credentials.keys()].join(', ') || 'none';
  const why = `its credentials, ssh_credentials.${name}, are not in the configuration; known: ${known}`;
  return settings.ssh_credentials.get(name) ?? new SshFailure('ssh-auth-failed', why);
};

/** How a device is reached over SSH now; null when there is no such device, or it has no SSH settings; the failure with which nobody can reach it. */
export const sshTargetOf = (
  device: Pick<DeviceRow, 'organization' | 'ssh'> | null,
  settings: Sections,
): SshTarget | SshFailure | null => {
  const { organization = '', ssh = null } = device ?? {};
  if (ssh === null) return null;
  const found = sshCredentialsOf(organization, ssh.credentials, settings);
  if (found instanceof SshFailure) return found;
  const { user, host, port, host_key } = ssh;
  return { user, host, port, host_key, auth: found.auth, proxy: found.proxy };
};
