import type { TestPlan } from '../../broker/contract/messages.ts';
import type { SuppressionScope } from '../schedule/suppression.ts';
import type { LeaseRow, RunRequest, SlotEffect } from './events.ts';
import type { Entry, LazyHeap } from './lazy-heap.ts';
import type { RunState, ServerState } from './transitions.ts';

/** A run while the slots have to do with it. */
export interface Run {
  request: RunRequest;
  readonly device: Device;
  /** Changed by `become` only. */
  state: RunState;
  /** Its place in the order of submission. */
  sequence: number;
  /** Since when it waits. */
  since: number;
  /** At first as requested; later than that after a setback. */
  not_before: number;
  /** How often its device did not answer, or declined for a passing reason; and how often because of cross-traffic. */
  setbacks: number;
  crossings: number;
  /** Where it waits; null when it does not. */
  line: Line | null;
  /** Its entry there while it may take a seat; null while something of its own keeps it from that (eligibility.ts). */
  turn: Entry<Run> | null;
  alarm: Entry<Run> | null;
}

/** A list of servers that runs have in common. */
export interface ServerList {
  readonly names: readonly string[];
  /** Those of them that are configured, with their place in the list. */
  servers: Map<Server, number>;
  readonly lanes: Map<string, Lane>;
  /** Those of them whose seat is open. */
  readonly open: Set<Server>;
  /** Where a run of this list is on deck and could be taken over. */
  readonly decks: Map<Server, OnDeck>;
  /** Whether suppressions name every server of it. */
  suppressed: boolean;
}

/** Runs that wait and are alike: every one of them may take the same seats. */
export interface Lane {
  readonly key: string;
  readonly list: ServerList;
  readonly on_demand: boolean;
  readonly organization: string;
  /** The longest that one of them may hold a slot. */
  readonly slot_ms: number;
  readonly lines: Map<UplinkGroup | null, Line>;
  /** The lines that have somebody whose turn may come, and whose uplink group has room; in the order of their first runs. */
  readonly heads: LazyHeap<Line>;
  /** How many wait, whether their turn may come or not. */
  waiting: number;
  /** It is among those that this step has woken. */
  woken: boolean;
}

/** The runs of a lane behind one uplink, or behind none. */
export interface Line {
  readonly lane: Lane;
  readonly uplink: UplinkGroup | null;
  readonly runs: LazyHeap<Run>;
  /** Its entry among the heads of its lane. */
  head: Entry<Line> | null;
  waiting: number;
}

export interface UplinkGroup {
  readonly name: string;
  capacity: number;
  /** How many seats and slots its devices have. */
  held: number;
  /** The servers where they are. */
  readonly servers: Set<Server>;
  readonly lines: Set<Line>;
}

export interface HostGroup {
  readonly name: string;
  capacity: number;
  readonly members: Set<Server>;
  /** On how many of them one of our clients may be running. */
  running: number;
}

/** The address of an iperf3 server. */
export interface Endpoint {
  readonly key: string;
  /** The servers that have it by the settings in force, or had it when they left them. */
  readonly members: Set<Server>;
  /** Those with a lease, a rest or a recovered lease that was granted there, or with a probe that is there. */
  readonly holders: Set<Server>;
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
  run: Run;
  token: number;
  /** The address that its device was asked for. */
  endpoint: string;
  lease_ms: number;
  /** As this server allows them. */
  tests: TestPlan[];
  seated_at: number;
  /** When the device was first asked for what it has not answered, and last. */
  asked_at: number;
  prepare_sent_at: number;
  ready: Ready | null;
  /** Its lease is on disk, since its device was ready for the first time. */
  saved: boolean;
  /** Found on disk after a restart: its `start` may have been sent, so it is not replaced, only asked. */
  recovered: boolean;
  /** Of a recovered one: nobody waits for the run any more. */
  over: Over | null;
}

/** A slot granted to one run until a deadline. */
export interface Lease {
  run: Run;
  row: LeaseRow;
  /** How long it takes when all goes well. */
  expected_ms: number;
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
  /** The address that rests. */
  endpoint: string;
  /** The lease on disk that goes when the rest is over; null for a stranger's. */
  row: LeaseRow | null;
  /** Infinity when it is not probed (any more). */
  probe_at: number;
  /** A probe was sent, and has not answered yet. */
  probing: boolean;
  /** Whose lease brought it about, and when: the rest is charged to that organization. Null for a stranger's. */
  owner: { since: number; organization: string; priority: number } | null;
}

/** A server that was testing somebody outside of perfleet. */
export interface Busy {
  until: number;
  probe_at: number;
}

/** A probe that was sent, until the server has cleaned up after it: nobody starts at that address. */
export interface Probe {
  until: number;
  endpoint: string;
}

/** Who had how much of a server: fairness.ts. */
export interface Accounts {
  virtual_time: number;
  readonly finish: Map<string, number>;
}

export interface Server {
  readonly server: string;
  max_bitrate: number | null;
  group: HostGroup | null;
  /** As it is written in the settings. */
  address: string;
  endpoint: Endpoint | null;
  /** Whether somebody may take its seat, as it was when it was last looked at. */
  open: boolean;
  /** The lists that name it. */
  lists: ServerList[];
  /** It left the configuration: nobody takes a seat here, and it is forgotten when its leases are settled. */
  gone: boolean;
  /** Changed by `changeServer` only, as are the eight that follow. */
  state: ServerState;
  lease: Lease | null;
  quarantine: Quarantine | null;
  on_deck: OnDeck | null;
  /** Behind a recovered lease on deck: more of them, in the order of their tokens. Mostly none. */
  found: readonly OnDeck[];
  busy: Busy | null;
  probe: Probe | null;
  suppressed: boolean;
  maintenance: boolean;
  /** When the next maintenance begins; Infinity for never. */
  maintenance_at: number;
  /** How often in a row a result said that it tested somebody else. */
  busy_strikes: number;
  /** Since when nobody holds its slot. */
  free_since: number;
  accounts: Accounts;
  /** The state that was last told to everybody; null when it was somebody else who told them last. */
  shown: ServerState | null;
  /** It is among those that this step looks at. */
  touched: boolean;
  alarm: Entry<Server> | null;
}

/** What is known of a device and its agent. */
export interface Device {
  readonly device: string;
  online: boolean;
  boot: string | null;
  /** Boots that were replaced not long ago, and when. */
  replaced: ReadonlyMap<string, number> | null;
  /** When `online` last changed. */
  since: number;
  /** Where it is on deck or holds a lease; several only after a restart, one for each lease found on disk. */
  engaged: readonly Server[];
  /** Its runs that wait. */
  waiting: readonly Run[];
}

/** All that the slots remember. */
export interface SlotState {
  readonly servers: Map<string, Server>;
  readonly host_groups: Map<string, HostGroup>;
  readonly uplink_groups: Map<string, UplinkGroup>;
  readonly endpoints: Map<string, Endpoint>;
  readonly lists: Map<string, ServerList>;
  list_of: WeakMap<readonly string[], ServerList>;
  /** By name, those that nobody has given up: waiting, on deck or with a slot. */
  readonly runs: Map<string, Run>;
  readonly devices: Map<string, Device>;
  /** Those of them that are on deck or hold a lease. Nearly all that is heard is of these few: to look among a million takes longer. */
  readonly engaged: Map<string, Device>;
  /** Who needs a look, and when. Servers have a heap of their own: theirs is small, and each grant goes through it a few times. */
  readonly run_alarms: LazyHeap<Run>;
  readonly server_alarms: LazyHeap<Server>;
  /** What this step has to look at, each once: servers that changed, and lanes that have somebody to offer (touched.ts). */
  touched: Server[];
  woken: Lane[];
  /** Settings or suppressions were replaced: every run and every server is looked at, once. */
  everything: boolean;
  host_capacity: ReadonlyMap<string, { capacity: number }>;
  uplink_capacity: ReadonlyMap<string, { capacity: number }>;
  suppressions: readonly SuppressionScope[];
  sequence: number;
  last_token: number;
  in_charge: boolean;
  in_charge_since: number;
  readonly random: () => number;
}

/** One step: the state it changes, the moment, and the effects it asks for. */
export interface Step {
  readonly state: SlotState;
  readonly now: number;
  readonly out: SlotEffect[];
}
