import { suppressesServer } from '../schedule/suppression.ts';
import { setAlarm } from './alarms.ts';
import { moveTo } from './endpoints.ts';
import { fillList, syncLine } from './lanes.ts';
import { LazyHeap } from './lazy-heap.ts';
import { addServer, changeServer, joinHostGroup } from './servers.ts';
import type { Server } from './state/server.ts';
import type { SlotState } from './state/slot-state.ts';

/** A server as the slots need to know it; `max_bitrate` in bit/s. */
export interface SlotServer {
  server: string;
  /** Host and port: servers that have, or had, the same are one. */
  endpoint: string;
  host_group: string | null;
  max_bitrate: number | null;
}

export interface SlotSettings {
  servers: readonly SlotServer[];
  host_groups: ReadonlyMap<string, { capacity: number }>;
  uplink_groups: ReadonlyMap<string, { capacity: number }>;
}

/** What the slots know before they have heard anything. */
export const newState = ({ last_token, random }: { last_token: number; random: () => number }): SlotState => ({
  servers: new Map(),
  host_groups: new Map(),
  uplink_groups: new Map(),
  endpoints: new Map(),
  lists: new Map(),
  list_of: new WeakMap(),
  runs: new Map(),
  devices: new Map(),
  engaged: new Map(),
  run_alarms: new LazyHeap(),
  server_alarms: new LazyHeap(),
  touched: [],
  woken: [],
  everything: false,
  host_capacity: new Map(),
  uplink_capacity: new Map(),
  suppressions: [],
  sequence: 0,
  last_token,
  in_charge: false,
  in_charge_since: 0,
  random,
});

/** Looks up the servers of all lists again. Those that nobody uses are forgotten. */
export const fillLists = (state: SlotState): void => {
  for (const server of state.servers.values()) server.lists = [];
  for (const [key, list] of state.lists) {
    if (list.lanes.size === 0 && list.decks.size === 0) state.lists.delete(key);
    else fillList(state, list);
  }
  state.list_of = new WeakMap();
};

/** New settings. A server that left them takes no new run and is kept until its leases are settled. */
export const configure = (state: SlotState, { servers, host_groups, uplink_groups }: SlotSettings): void => {
  state.host_capacity = host_groups;
  state.uplink_capacity = uplink_groups;
  for (const group of state.host_groups.values()) group.capacity = host_groups.get(group.name)?.capacity ?? 1;
  const wanted = new Map(servers.map((server) => [server.server, server]));
  for (const server of state.servers.values()) server.gone = !wanted.has(server.server);
  for (const settings of wanted.values()) {
    const known = state.servers.get(settings.server);
    const server = known ?? addServer(state, settings, false);
    server.max_bitrate = settings.max_bitrate;
    if (known !== undefined) {
      joinHostGroup(state, known, settings.host_group);
      moveTo(state, known, settings.endpoint);
    }
    changeServer(state, server, { suppressed: suppressesServer(state.suppressions, server.server) });
  }
  fillLists(state);
  for (const group of state.uplink_groups.values()) {
    group.capacity = uplink_groups.get(group.name)?.capacity ?? 1;
    for (const line of group.lines) syncLine(state, line);
  }
};

/** Forgets a server that left the settings and holds nothing any more. */
export const forgetGone = (state: SlotState, server: Server): void => {
  const { gone, lease, quarantine, on_deck, probe } = server;
  if (!gone || lease !== null || quarantine !== null || on_deck !== null || probe !== null) return;
  joinHostGroup(state, server, null);
  moveTo(state, server, null);
  setAlarm(state.server_alarms, server, Number.POSITIVE_INFINITY);
  state.servers.delete(server.server);
};
