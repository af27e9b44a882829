import type { LeaseRow } from '../events.ts';
import type { Entry } from '../lazy-heap.ts';
import type { ServerState } from '../transitions.ts';
import type { Endpoint, HostGroup } from './group.ts';
import type { Lease, OnDeck } from './hold.ts';
import type { ServerList } from './lane.ts';

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
