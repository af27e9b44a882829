import type { Entry, LazyHeap } from '../lazy-heap.ts';
import type { UplinkGroup } from './group.ts';
import type { OnDeck } from './hold.ts';
import type { Run } from './run.ts';
import type { Server } from './server.ts';

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
