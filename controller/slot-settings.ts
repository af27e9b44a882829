import type { Settings } from './config/settings.ts';
import { endpointOf } from './endpoint.ts';
import type { SlotSettings } from './slots/configuration.ts';

/** What of the settings the slots need. */
export const slotSettings = ({ servers, host_groups, uplink_groups }: Settings): SlotSettings => ({
  servers: [...servers.values()].map((server) => ({ ...server, endpoint: endpointOf(server) })),
  host_groups,
  uplink_groups,
});
