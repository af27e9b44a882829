import { syncLine } from './lanes.ts';
import type { Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { SlotState } from './state/slot-state.ts';
import { touch } from './touched.ts';
import { uplinkGroup } from './uplink-groups.ts';

/** The run's device has a seat or a slot at the server, and takes room in its uplink group for it. */
export const takeRoom = (state: SlotState, { request }: Run, server: Server): void => {
  const group = uplinkGroup(state, request.uplink_group);
  if (group === null) return;
  group.held += 1;
  group.servers.add(server);
  if (group.held === group.capacity) for (const line of group.lines) syncLine(state, line);
};

/** The seat or the slot was given back. What the others of the group may do now is looked at. */
export const giveRoom = (state: SlotState, { request }: Run, server: Server): void => {
  const group = uplinkGroup(state, request.uplink_group);
  if (group === null) return;
  group.held -= 1;
  const isHere = (run: Run | undefined) => run?.request.uplink_group === group.name;
  const { lease, on_deck, found } = server;
  if (!isHere(lease?.run) && !isHere(on_deck?.run) && !found.some(({ run }) => isHere(run)))
    group.servers.delete(server);
  if (group.held === group.capacity - 1) for (const line of group.lines) syncLine(state, line);
  for (const other of group.servers) touch(state, other);
};
