import type { Line } from './lane.ts';
import type { Server } from './server.ts';

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
