import type { DeviceToCheck } from '../api/device-views.ts';
import type { Settings } from '../config/settings.ts';
import { credentialsNameOf } from '../ssh-targets.ts';

const known = (names: ReadonlyMap<string, unknown>): string => [...names.keys()].join(', ') || 'none';

/** Who logs in to a new device over SSH: as it says itself, else as its credentials say. Or why nobody can. */
export const sshUser = (
  organization: string,
  ssh: { user: string | null; credentials: string | null },
  settings: Settings,
): { user: string } | { problem: string } => {
  const { ssh_credentials } = settings;
  const name = credentialsNameOf(organization, ssh.credentials, settings);
  if (name === null)
    return { problem: `ssh_credentials: none are named, and organizations.${organization}.ssh names none either` };
  const credentials = ssh_credentials.get(name);
  if (credentials === undefined)
    return { problem: `ssh_credentials: ${name} is not in the configuration; known: ${known(ssh_credentials)}` };
  const user = ssh.user ?? credentials.user;
  return user === null
    ? { problem: `ssh: there is no user: write user@host, or set ssh_credentials.${name}.user` }
    : { user };
};

/** Why a device can't be registered, in words; empty when it can. */
export const newDeviceProblems = (
  { device, organization, uplink_group, ssh }: DeviceToCheck,
  settings: Settings,
): string[] => {
  const { organizations, uplink_groups } = settings;
  const problems: string[] = [];
  if (device === 'perfleet-controller')
    problems.push('device: perfleet-controller is the name of the controller itself');
  if (!organizations.has(organization))
    problems.push(`organization: ${organization} is not in the configuration; known: ${known(organizations)}`);
  if (uplink_group !== null && !uplink_groups.has(uplink_group))
    problems.push(`uplink_group: ${uplink_group} is not in the configuration; known: ${known(uplink_groups)}`);
  const login = organizations.has(organization) && ssh ? sshUser(organization, ssh, settings) : null;
  if (login !== null && 'problem' in login) problems.push(login.problem);
  return problems;
};
