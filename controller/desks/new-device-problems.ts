import type { NewDevice } from '../api/device-views.ts';
import type { Settings } from '../config/settings.ts';

/** Why a device can't be registered, in words; empty when it can. */
export const newDeviceProblems = ({ device, organization, uplink_group }: NewDevice, settings: Settings): string[] => {
  const { organizations, uplink_groups } = settings;
  const problems: string[] = [];
  if (device === 'perfleet-controller')
    problems.push('device: perfleet-controller is the name of the controller itself');
  if (!organizations.has(organization)) {
    problems.push(
      `organization: ${organization} is not in the configuration; known: ${[...organizations.keys()].join(', ')}`,
    );
  }
  if (uplink_group !== null && !uplink_groups.has(uplink_group)) {
    problems.push(
      `uplink_group: ${uplink_group} is not in the configuration; known: ${[...uplink_groups.keys()].join(', ') || 'none'}`,
    );
  }
  return problems;
};
