import type { Settings, SshCredentials } from './config/settings.ts';
import { SshFailure } from './drivers/ssh/ssh-failure.ts';
import type { SshTarget } from './drivers/ssh/target.ts';
import type { DeviceRow, DeviceSsh } from './store/devices.ts';

type Registered = Pick<DeviceRow, 'device' | 'organization' | 'ssh'>;

/** The credentials of a device: those that it names, or those of its organization. An `ssh-auth-failed` that says what is missing otherwise. */
export const sshCredentialsOf = (
  { device, organization, ssh }: Pick<Registered, 'device' | 'organization'> & { ssh: Pick<DeviceSsh, 'credentials'> },
  { organizations, ssh_credentials }: Pick<Settings, 'organizations' | 'ssh_credentials'>,
): SshCredentials | SshFailure => {
  const name = ssh.credentials ?? organizations.get(organization)?.ssh ?? null;
  if (name === null) {
    const why = `device ${device} has no SSH credentials: name a set of them for it, or in organizations.${organization}.ssh`;
    return new SshFailure('ssh-auth-failed', why);
  }
  const known = [...ssh_credentials.keys()].join(', ') || 'none';
  return (
    ssh_credentials.get(name) ??
    new SshFailure(
      'ssh-auth-failed',
      `ssh_credentials.${name} of device ${device} is not in the configuration; there is: ${known}`,
    )
  );
};

/** How a device is reached over SSH now; null when it has no SSH settings, or the failure with which nobody can reach it. */
export const sshTargetOf = (
  row: Registered,
  settings: Pick<Settings, 'organizations' | 'ssh_credentials'>,
): SshTarget | SshFailure | null => {
  const { ssh } = row;
  if (ssh === null) return null;
  const found = sshCredentialsOf({ ...row, ssh }, settings);
  if (found instanceof SshFailure) return found;
  const { user, host, port, host_key } = ssh;
  return { user, host, port, host_key, auth: found.auth, proxy: found.proxy };
};
