import type { UplinkGroup } from './state/group.ts';
import type { Server } from './state/server.ts';
import type { SlotState } from './state/slot-state.ts';

/*
 * Devices behind one uplink must not measure each other. Who has a seat has room: a grant need not look again. So the seats count too,
 * and with one exception the group never has more seats and slots than its capacity: the run after the one that holds a server
 * may be on deck for that same server, as it will not start before the other is gone.
 */

/** The group with this name; null for none. Groups are kept: there are as many as the fleet has uplinks. */
export const uplinkGroup = (state: SlotState, name: string | null): UplinkGroup | null => {
  if (name === null) return null;
  let group = state.uplink_groups.get(name);
  if (group === undefined) {
    const capacity = state.uplink_capacity.get(name)?.capacity ?? 1;
    group = { name, capacity, held: 0, servers: new Set(), lines: new Set() };
    state.uplink_groups.set(name, group);
  }
  return group;
};

export const uplinkHasRoom = (group: UplinkGroup | null): boolean => group === null || group.held < group.capacity;

/** Whether the seat may go to a device of this full group, because the one that holds the slot is of it. */
export const mayFollow = (group: UplinkGroup, { lease }: Server): boolean =>
  group.held === group.capacity && lease !== null && lease.run.request.uplink_group === group.name;

/** Whether the run, on deck elsewhere, could have a seat here instead. */
export const mayMove = (group: UplinkGroup | null): boolean => group === null || group.held <= group.capacity;
