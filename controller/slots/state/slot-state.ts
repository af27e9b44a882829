import type { SuppressionScope } from '../../schedule/suppression.ts';
import type { SlotEffect } from '../events.ts';
import type { LazyHeap } from '../lazy-heap.ts';
import type { Endpoint, HostGroup, UplinkGroup } from './group.ts';
import type { Lane, ServerList } from './lane.ts';
import type { Device, Run } from './run.ts';
import type { Server } from './server.ts';

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
