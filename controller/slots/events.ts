import type { TestPlan } from '../../broker/contract/messages.ts';
import type { SuppressionScope } from '../schedule/suppression.ts';
import type { ServerState } from './transitions.ts';

/** A run as the slots need to know it. Times are monotonic milliseconds. */
export interface RunRequest {
  run: string;
  device: string;
  organization: string;
  /** Of the device: suppression can name them. */
  tags: readonly string[];
  /** Servers that it may use, the preferred one first. */
  servers: string[];
  uplink_group: string | null;
  tests: TestPlan[];
  /** Asked for by a person: goes before everything that the schedule asked for. */
  on_demand: boolean;
  /** 1 to 100. In its organization the higher one goes first; between organizations it is the weight of their shares of a server. */
  priority: number;
  /** The agent declines while other traffic on the device's WAN is above this, in bit/s; null when it need not look. */
  max_cross_traffic: number | null;
  not_before: number;
  window_end: number;
}

/** A lease as it is on disk: enough to ask for it again, byte for byte, after a restart. */
export interface LeaseRow {
  token: number;
  run: string;
  device: string;
  server: string;
  /** Host and port of the server when the lease was prepared: the `start` names them whatever the settings say later. */
  endpoint: string;
  nonce: string;
  boot: string;
  lease_ms: number;
  tests: TestPlan[];
  /** False while on deck: whether its `start` was ever sent is then known only to its agent. */
  granted: boolean;
}

/** What the slots are told. */
export type SlotEvent =
  /** Of a run that waits already the request is replaced, and it keeps its place. One on deck or with a slot goes on as it is. */
  | { type: 'submit'; request: RunRequest }
  /** The same for many runs at once: settings that they were made of have changed. */
  | { type: 'submit-anew'; requests: readonly RunRequest[] }
  | { type: 'cancel'; run: string; reason: string }
  /** It is not to be tried: over budget, for one. A run that has a slot already goes on. */
  | { type: 'skip'; run: string; reason: string }
  /** The suppressions in force from now on, all of them. Runs that they name wait; a person's are answered at once. */
  | { type: 'suppressions'; active: readonly SuppressionScope[] }
  /** Planned maintenance: whether the server may be used now, and when it must be free next (monotonic; Infinity for never). */
  | { type: 'maintenance'; server: string; under_way: boolean; next_at: number }
  /** What a result said of its server: that it was testing somebody outside of perfleet, or not. */
  | { type: 'served'; server: string; busy_elsewhere: boolean }
  /** Whether new leases may be granted at all: the broker is reachable and this controller is the one in charge. */
  | { type: 'in-charge'; yes: boolean }
  | { type: 'status'; device: string; online: boolean; boot: string }
  /**
   * The device answers as this boot from now on. Decided here, so it is never late, whatever that boot was before: a device with two ways to it
   * changes between them. To be said while it holds no lease of another way.
   */
  | { type: 'reached'; device: string; boot: string }
  | { type: 'ready'; device: string; run: string; boot: string; nonce: string }
  | {
      type: 'declined';
      device: string;
      run: string;
      boot: string;
      token: number | null;
      nonce: string | null;
      reason: string;
    }
  | { type: 'started'; device: string; run: string; boot: string; token: number }
  /** `finished`, or the result itself. */
  | { type: 'finished'; device: string; run: string; token: number }
  /** A person wants to know whether the server answers: `probe` or `unprobed` follows at once. */
  | { type: 'check'; server: string }
  | { type: 'probed'; server: string; verdict: 'free' | 'busy' | 'silent' }
  /** A retained slot of a controller that is not us: its client may still run. `rest_ms`: its lease and the rest after it. */
  | { type: 'stranger'; server: string; rest_ms: number }
  | { type: 'tick' };

/** How a run left the slots, other than by its result. */
export type Ending =
  | { how: 'skipped'; reason: string }
  | { how: 'missed'; reason: string }
  | { how: 'cancelled'; reason: string }
  /** The agent refuses the run, whatever the server: reason as it gave it. */
  | { how: 'refused'; reason: string; server: string }
  /** The agent that started it says that it is not running any more, and has no result. */
  | { how: 'interrupted'; reason: string }
  /** The deadline passed; the result may still come. */
  | { how: 'overdue'; reason: string };

/** A lease as everybody is told of it: what is left of it, and how long the server rests if it does not end cleanly. */
export interface ShownLease {
  device: string;
  run: string;
  token: number;
  length_ms: number;
  rest_ms: number;
}

/** What the slots want done, in this order. */
export type SlotEffect =
  | {
      type: 'prepare';
      device: string;
      run: string;
      server: string;
      tests: TestPlan[];
      lease_ms: number;
      max_cross_traffic: number | null;
    }
  | {
      type: 'start';
      device: string;
      run: string;
      token: number;
      nonce: string;
      /** That gave the nonce. */
      boot: string;
      server: string;
      endpoint: string;
      lease_ms: number;
    }
  | { type: 'cancel'; device: string; run: string; reason: string }
  | { type: 'save-lease'; lease: LeaseRow }
  | { type: 'granted'; lease: LeaseRow }
  | { type: 'drop-lease'; token: number }
  | { type: 'slot'; server: string; lease: ShownLease | null; state: ServerState }
  | { type: 'phase'; run: string; phase: 'waiting' }
  | { type: 'phase'; run: string; phase: 'on-deck' | 'starting' | 'running'; server: string }
  /** The slot passed on; what remains is the result. */
  | { type: 'released'; run: string; token: number }
  | { type: 'ended'; run: string; ending: Ending }
  /** Until `probed` is heard nobody starts there. */
  | { type: 'probe'; server: string }
  /**
   * A check that does not probe the server: a client of ours is there (or may be), nothing is known without charge, a stranger's client may be
   * there, or it is being probed, or was less than a moment ago: what that found is the answer.
   */
  | {
      type: 'unprobed';
      server: string;
      why: 'in-use' | 'not-in-charge' | 'resting' | 'probed';
      client: { device: string; run: string } | null;
    };
