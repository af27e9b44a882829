import type { PrepareCommand, TestPlan } from '../../broker/contract/messages.ts';
import { argv } from '../iperf3/argv.ts';
import type { Client } from './io.ts';
import type { State } from './state.ts';
import { act } from './state.ts';

/**
 * The guard of a run's first test starts when the run is ready, on deck, and waits: when the slot is free there is no shell to be
 * started, only a line to be written to it. Invariant: a key that was armed is spawned or disarmed, once.
 */

/** A key that no process had before. */
export const nextKey = (state: State): number => {
  const key = state.next_key;
  state.next_key = key + 1;
  return key;
};

/** The client for one test. `bitrate` is in bit/s or null, `iperf3` the version. */
export const clientOf = (
  state: State,
  command: PrepareCommand,
  plan: TestPlan,
  bitrate: number | null,
  iperf3: string | null,
): Client => {
  const server = command.server;
  const auth = server.auth;
  const target = {
    host: server.host,
    port: server.port,
    username: auth?.username ?? null,
    key_path: state.identity.key_path,
  };
  return {
    argv: argv(plan, target, bitrate, iperf3),
    env: auth == null ? {} : { IPERF3_PASSWORD: auth.password },
    key_file: auth == null ? null : { path: state.identity.key_path, text: auth.public_key },
  };
};

/** Lets the guard of the first test wait, and returns its key; null when it cannot be known yet what that test is. */
export const arm = (state: State, command: PrepareCommand, iperf3: string | null): number | null => {
  const plan = command.tests[0] as TestPlan;
  if (plan.bitrate === 'auto') return null;
  const key = nextKey(state);
  const client = clientOf(state, command, plan, plan.bitrate, iperf3);
  act(state, { kind: 'arm', key, argv: client.argv, env: client.env, key_file: client.key_file });
  return key;
};

/** Ends a guard that waits in vain, if there is one. */
export const disarm = (state: State, key: number | null): void => {
  if (key != null) act(state, { kind: 'disarm', key });
};
