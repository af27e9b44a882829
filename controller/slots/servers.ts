import type { SlotServer } from './configuration.ts';
import { holdersBeside, moveTo, noteHolding } from './endpoints.ts';
import { emptyAccounts } from './fairness.ts';
import type { HostGroup } from './state/group.ts';
import type { Server } from './state/server.ts';
import type { SlotState } from './state/slot-state.ts';
import { touch } from './touched.ts';
import { allows, IllegalTransition, SERVER_TRANSITIONS, type ServerState } from './transitions.ts';

/** What the state of a server follows from. */
type Facts = Pick<
  Server,
  'lease' | 'quarantine' | 'on_deck' | 'found' | 'busy' | 'probe' | 'suppressed' | 'maintenance'
>;

const stateOf = ({ lease, quarantine, busy, suppressed, maintenance }: Facts): ServerState => {
  if (lease !== null) return 'leased';
  if (quarantine !== null) return 'resting';
  if (busy !== null) return 'busy-elsewhere';
  if (suppressed) return 'suppressed';
  return maintenance ? 'maintenance' : 'idle';
};

/** Whether one of our clients may be running on the server: also under a recovered lease that was not asked yet. */
export const mayBeRunning = ({ lease, on_deck }: Pick<Facts, 'lease' | 'on_deck'>): boolean =>
  lease !== null || on_deck?.recovered === true;

/** Changes what is going on at a server: the only place that does. @throws IllegalTransition */
export const changeServer = (state: SlotState, server: Server, change: Partial<Facts>): void => {
  const { lease, quarantine, on_deck, found, probe, group, state: from } = server;
  const before = { lease, quarantine, on_deck, found, probe };
  Object.assign(server, change);
  const to = stateOf(server);
  const isGranted = change.lease !== undefined && change.lease !== null;
  if ((isGranted || to !== from) && !allows(SERVER_TRANSITIONS, from, to)) {
    throw new IllegalTransition('server', server.server, from, to);
  }
  server.state = to;
  const more = Number(mayBeRunning(server)) - Number(mayBeRunning(before));
  touch(state, server);
  noteHolding(state, server, before);
  if (group === null || more === 0) return;
  group.running += more;
  if (more < 0) for (const member of group.members) touch(state, member);
};

/** Whether one more run fits beside those that may be running in the server's host group. */
export const hostGroupHasRoom = ({ group }: Server): boolean => group === null || group.running < group.capacity;

/** Whether a run may start here besides its state: no probe is there, its host group has room, and nobody holds its address. */
export const hasRoom = (server: Server): boolean =>
  server.probe === null && hostGroupHasRoom(server) && holdersBeside(server).length === 0;

const hostGroup = (state: SlotState, name: string): HostGroup => {
  const capacity = state.host_capacity.get(name)?.capacity ?? 1;
  const group = state.host_groups.get(name) ?? { name, capacity, members: new Set(), running: 0 };
  state.host_groups.set(name, group);
  return group;
};

/** The server is a member of this host group from now on, with what is running on it. */
export const joinHostGroup = (state: SlotState, server: Server, name: string | null): void => {
  const running = Number(mayBeRunning(server));
  if (server.group !== null) {
    server.group.members.delete(server);
    server.group.running -= running;
    if (server.group.members.size === 0) state.host_groups.delete(server.group.name);
  }
  server.group = name === null ? null : hostGroup(state, name);
  server.group?.members.add(server);
  if (server.group !== null) server.group.running += running;
};

/** A server that nothing is known of yet. */
export const addServer = (
  state: SlotState,
  { server: name, endpoint, host_group, max_bitrate }: SlotServer,
  gone: boolean,
): Server => {
  const server: Server = {
    server: name,
    max_bitrate,
    group: null,
    address: endpoint,
    endpoint: null,
    open: false,
    lists: [],
    gone,
    state: 'idle',
    lease: null,
    quarantine: null,
    on_deck: null,
    found: [],
    busy: null,
    probe: null,
    suppressed: false,
    maintenance: false,
    maintenance_at: Number.POSITIVE_INFINITY,
    busy_strikes: 0,
    free_since: Number.NEGATIVE_INFINITY,
    accounts: emptyAccounts(),
    shown: 'idle',
    touched: false,
    alarm: null,
  };
  state.servers.set(name, server);
  joinHostGroup(state, server, host_group);
  moveTo(state, server, endpoint);
  return server;
};
