import type { TestPlan } from '../../broker/contract/messages.ts';
import { START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import type { LeaseRow, RunRequest, SlotEffect } from './events.ts';

/** A nonce is used for a `start` only while it is this young: the rest of START_WINDOW_MS is for the way to the agent. */
export const NONCE_FRESH_MS = START_WINDOW_MS - 1000;

/** A scheduled run waits this long for an offline device to come back; one that a person asked for is answered at once, … */
export const OFFLINE_GRACE_MS = 60_000;

/** … but agents get this long to connect again after the controller or its broker was away. */
export const CONNECT_GRACE_MS = 15_000;

/** After this many prepares without an answer a run is given up as `skipped`. */
export const MAX_SETBACKS = 3;

/** A run whose device did not answer, or declined for a passing reason, is tried again after this, times its setbacks. */
export const SETBACK_DELAY_MS = 5000;

/** A quarantined server's next run is prepared this long before the rest ends. */
export const PREPARE_LEAD_MS = 5000;

/** A run that waits for its turn. */
export interface Waiting extends RunRequest {
  /** Since when it waits. */
  since: number;
  /** How often its device did not answer, or declined for a passing reason. */
  setbacks: number;
}

/** The run of a lease has its end already. `cancel` is what its agent is told; null when the run goes on under a later token. */
export interface Over {
  cancel: string | null;
}

/** The last `ready` of a device on deck. */
export interface Ready {
  nonce: string;
  boot: string;
  heard_at: number;
}

/** The next run of a server, prepared while another one may still hold the slot. */
export interface OnDeck {
  request: Waiting;
  token: number;
  lease_ms: number;
  /** When the device was first asked, and last. */
  asked_at: number;
  prepare_sent_at: number;
  ready: Ready | null;
  /** Found on disk after a restart: its `start` may have been sent, so it is not replaced, only asked. */
  recovered: boolean;
  /** Of a recovered one: nobody waits for the run any more. */
  over: Over | null;
}

/** A slot granted to one run until a deadline. */
export interface Lease {
  request: Waiting;
  row: LeaseRow;
  granted_at: number;
  deadline: number;
  /** When the `start` was last sent. */
  start_sent_at: number;
  /** `started` was heard for the token. */
  started: boolean;
  /** The `start` is repeated until the agent answers. */
  asking: boolean;
  /** Nobody waits for the run any more; the slot is held until the agent says that the token is dead. */
  over: Over | null;
}

/** A server after an unclean end: it may still hold the dead session. A stranger's can begin beside a lease. */
export interface Quarantine {
  until: number;
  /** The lease on disk that goes when the rest is over; null for a stranger's. */
  token: number | null;
  /** Infinity when it is not probed (any more). */
  probe_at: number;
}

export interface Server {
  server: string;
  host_group: string | null;
  /** It left the configuration: nobody takes a seat here, and it is forgotten when its leases are settled. */
  gone: boolean;
  lease: Lease | null;
  quarantine: Quarantine | null;
  on_deck: OnDeck | null;
}

export const emptyServer = (
  { server, host_group }: { server: string; host_group: string | null },
  gone: boolean,
): Server => ({ server, host_group, gone, lease: null, quarantine: null, on_deck: null });

/** What is known of a device's agent. */
export interface Presence {
  online: boolean;
  boot: string | null;
  /** Boots that were replaced not long ago, and when. */
  replaced: Map<string, number>;
  /** When `online` last changed. */
  since: number;
}

/** All that the slots remember. Runs wait in the order of the maps, those asked for by a person first. */
export interface SlotState {
  servers: Map<string, Server>;
  host_groups: ReadonlyMap<string, { capacity: number }>;
  uplink_groups: ReadonlyMap<string, { capacity: number }>;
  demanded: Map<string, Waiting>;
  scheduled: Map<string, Waiting>;
  presence: Map<string, Presence>;
  /** Devices that are on deck or hold a lease, with the server; several only after a restart, one for each lease found on disk. */
  engaged: Map<string, Server[]>;
  /** Before this time nothing in the lines has to be ended or has its turn by itself; a lower bound. */
  look_at: number;
  last_token: number;
  in_charge: boolean;
  in_charge_since: number;
}

/** One step: the state it changes, the moment, and the effects it asks for. */
export interface Step {
  state: SlotState;
  now: number;
  out: SlotEffect[];
}

/** The longest test of a plan, in milliseconds, without its grace: how long a dead session can hold the server. */
export const longestTestMs = (tests: readonly TestPlan[]): number =>
  Math.max(...tests.map((test) => 1000 * (test.duration_s + test.omit_s)));

export const engage = (state: SlotState, device: string, server: Server): void => {
  state.engaged.set(device, [...serversOf(state, device), server]);
};

export const disengage = (state: SlotState, device: string, server: Server): void => {
  const rest = [...serversOf(state, device)];
  rest.splice(rest.indexOf(server), 1);
  if (rest.length === 0) state.engaged.delete(device);
  else state.engaged.set(device, rest);
};

/** Where the device is on deck or holds a lease. */
export const serversOf = (state: SlotState, device: string): readonly Server[] => state.engaged.get(device) ?? [];

/** Whether one of our clients may be running on the server: also under a recovered lease that was not asked yet. */
export const mayBeRunning = ({ lease, on_deck }: Server): boolean => lease !== null || on_deck?.recovered === true;

/** Whether one more run fits beside those that may be running in the server's host group. */
export const hostGroupHasRoom = (state: SlotState, server: Server): boolean => {
  if (server.host_group === null) return true;
  const capacity = state.host_groups.get(server.host_group)?.capacity ?? 1;
  const members = [...state.servers.values()].filter((other) => other.host_group === server.host_group);
  return members.filter(mayBeRunning).length < capacity;
};
