import type { PrepareCommand, TestOutput } from '../../broker/contract/messages.ts';
import type { Figures } from '../iperf3/output.ts';
import type { Action, AgentIdentity, StoredResult } from './io.ts';

/** A run on deck. `nonces` are those of the `ready` events sent so far. */
export interface Prepared {
  command: PrepareCommand;
  /** The command's JSON: the same command again is a duplicate, another one replaces it. */
  text: string;
  at_ms: number;
  /** Of the `check` that is waited for. */
  check_key: number;
  /** False until all is checked. */
  ready: boolean;
  nonces: { nonce: string; at_ms: number }[];
  next_ready_ms: number;
  /** Version of iperf3 at the check. */
  iperf3: string | null;
  /** Key of the guard that waits for the first test. */
  armed: number | null;
}

/** The iperf3 that is alive now. There is never a second one. */
export interface Child {
  key: number;
  spawned_ms: number;
  term_at_ms: number;
  kill_at_ms: number;
  termed: boolean;
  killed: boolean;
}

/** The run whose `start` was accepted, until all its tests are through. */
export interface Running {
  command: PrepareCommand;
  token: number;
  nonce: string;
  /** Version of iperf3 at the check. */
  iperf3: string | null;
  /** Key of the guard that waits for the first test; null when it waits no more. */
  armed: number | null;
  accepted_ms: number;
  lease_end_ms: number;
  /** The test that runs, or comes next. */
  at: number;
  /** How often that test was tried again. */
  retries: number;
  /** While waiting to try again: when, and what to report if that is too late. */
  retry: { at_ms: number; output: TestOutput } | null;
  outputs: TestOutput[];
  figures: Figures;
}

/** A result that nobody has accepted yet. */
export interface Kept {
  result: StoredResult;
  bytes: number;
  /** False until it is sent for the first time, at `resend_at_ms` at the latest. */
  sent: boolean;
  resend_at_ms: number;
  /** The wait after the next resend. */
  delay_ms: number;
}

/** All that the agent knows. `now_ms` is that of the current call of `handle`, which returns the `actions`. */
export interface State {
  identity: AgentIdentity;
  now_ms: number;
  actions: Action[];
  connected: boolean;
  iperf3: string | null;
  prepared: Prepared | null;
  running: Running | null;
  child: Child | null;
  /** The cancelled run that `child` belongs to: its slot is free only when the process is gone. */
  leaving: { run: string; token: number; nonce: string } | null;
  kept: Kept[];
  /** Tokens of runs that never start anything again, newest last: dead-tokens.ts. */
  dead: string[];
  controller_boot: string | null;
  /** The status as last published, and when. */
  status: string;
  status_ms: number;
  /** When to publish the status again although it has not changed. */
  status_due_ms: number | null;
  /** When to publish what has changed since; null when nothing has. */
  change_due_ms: number | null;
  next_key: number;
  /** When to leave without waiting any longer. */
  leave_by_ms: number | null;
  gone: boolean;
}

export const act = (state: State, action: Action): void => {
  push(state.actions, action);
};

export const log = (state: State, level: 'debug' | 'info' | 'warn', message: string): void =>
  act(state, { kind: 'log', level, message });

/** Whether a moment that may be unset has come. */
export const isDue = (state: State, at_ms: number | null): boolean => at_ms != null && state.now_ms >= at_ms;
