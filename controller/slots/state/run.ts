import type { RunRequest } from '../events.ts';
import type { Entry } from '../lazy-heap.ts';
import type { RunState } from '../transitions.ts';
import type { Line } from './lane.ts';
import type { Server } from './server.ts';

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
