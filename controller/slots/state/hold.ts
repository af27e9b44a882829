import type { TestPlan } from '../../../broker/contract/messages.ts';
import type { LeaseRow } from '../events.ts';
import type { Run } from './run.ts';

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
