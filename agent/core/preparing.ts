import type { PrepareCommand } from '../../broker/contract/messages.ts';
import { PREPARE_TTL_MS, READY_INTERVAL_MS, START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import { planProblems } from '../iperf3/argv.ts';
import { arm, disarm, nextKey } from './arming.ts';
import { crossTraffic } from './cross-traffic.ts';
import { each } from './each.ts';
import { sayDeclined, sayReady, sayStarted } from './events.ts';
import type { Found } from './io.ts';
import { findKept, sendKept } from './kept.ts';
import { limitProblems } from './limits.ts';
import type { Prepared, State } from './state.ts';
import { act, isDue, log } from './state.ts';

/**
 * The run on deck:
 *
 *     (none) ──prepare──▶ checking ──checked──▶ ready ──start──▶ running
 *                            └─ declined           └─ cancelled, replaced, or too old: (none)
 *
 * Invariant: a nonce is alive only for the run that is ready now, and only START_WINDOW_MS long.
 */

/** What the installed iperf3 cannot do of the plan. */
const versionProblems = (command: PrepareCommand, iperf3: string): string[] => {
  const problems: string[] = [];
  const server = command.server;
  const target = { host: server.host, port: server.port, username: server.auth?.username ?? null, key_path: null };
  each(command.tests, (plan) => push(problems, ...planProblems(plan, target, iperf3)));
  return problems;
};

/** Says `ready` with a fresh nonce; the older ones stay alive for their time. */
const offer = (state: State, prepared: Prepared): void => {
  const nonce = state.identity.random();
  prepared.nonces = filter(prepared.nonces, (known) => state.now_ms - known.at_ms <= START_WINDOW_MS);
  push(prepared.nonces, { nonce, at_ms: state.now_ms });
  prepared.next_ready_ms = state.now_ms + READY_INTERVAL_MS;
  sayReady(state, prepared.command.run, nonce);
};

/** Whether a start with this nonce comes in time. */
export const isAlive = (state: State, prepared: Prepared, nonce: string): boolean =>
  length(filter(prepared.nonces, (known) => known.nonce === nonce && state.now_ms - known.at_ms <= START_WINDOW_MS)) >
  0;

/** Nothing is on deck any more, nor waits for a start. */
export const unprepare = (state: State): void => {
  disarm(state, state.prepared?.armed ?? null);
  state.prepared = null;
};

/** Says no to a `prepare`; what was on deck for the same run is no longer. */
const decline = (state: State, run: string, reason: string): void => {
  if (state.prepared?.command.run === run) unprepare(state);
  sayDeclined(state, run, null, null, reason);
};

/** Takes the run on deck off it, and says why. */
export const dropPrepared = (state: State, reason: string): void => {
  if (state.prepared != null) decline(state, state.prepared.command.run, reason);
};

/** Why nothing can be prepared now, or null. */
const obstacle = (state: State): string | null => {
  if (state.leave_by_ms != null) return 'stopping: the agent is being stopped';
  if (state.running != null) return `busy: run ${state.running.command.run} is running`;
  if (state.child != null) return 'busy: the iperf3 of a cancelled run is still ending';
  return null;
};

/** A `prepare`, with what is wrong with its plan. */
export const onPrepare = (state: State, command: PrepareCommand, problems: string[], text: string) => {
  const run = command.run;
  const running = state.running;
  if (running?.command.run === run) return sayStarted(state, run, running.token, running.nonce);
  const kept = findKept(state, run);
  if (kept != null) return sendKept(state, kept);
  const wrong = length(problems) > 0 ? problems : limitProblems(command, state.identity.limits);
  if (length(wrong) > 0) return decline(state, run, `plan: ${join('; ', wrong)}`);
  const reason = obstacle(state);
  if (reason != null) return decline(state, run, reason);
  const prepared = state.prepared;
  if (prepared != null && prepared.text === text) {
    prepared.at_ms = state.now_ms;
    if (prepared.ready) offer(state, prepared);
    return;
  }
  if (prepared != null && prepared.command.run !== run) dropPrepared(state, `superseded: run ${run} was prepared`);
  unprepare(state);
  const check_key = nextKey(state);
  state.prepared = {
    command,
    text,
    at_ms: state.now_ms,
    check_key,
    ready: false,
    nonces: [],
    next_ready_ms: 0,
    iperf3: null,
    armed: null,
  };
  act(state, { kind: 'check', key: check_key, host: command.server.host, wan: command.max_cross_traffic != null });
};

/** What the host found out for the run on deck: `ready`, or why not. An answer to an earlier check says nothing about this run. */
export const onChecked = (state: State, key: number, found: Found) => {
  state.iperf3 = found.iperf3;
  const prepared = state.prepared;
  if (prepared == null || prepared.ready || prepared.check_key !== key) return;
  const run = prepared.command.run;
  const why = found.error == null ? '' : `: ${found.error}`;
  if (found.iperf3 == null)
    return decline(state, run, `iperf3-missing: no working iperf3 on this device, install the package${why}`);
  if (!found.resolved) return decline(state, run, `unresolved: no address for ${prepared.command.server.host}${why}`);
  const problems = versionProblems(prepared.command, found.iperf3);
  if (length(problems) > 0) return decline(state, run, `plan: ${join('; ', problems)}`);
  const traffic = crossTraffic(prepared.command.max_cross_traffic, found.wan);
  if (traffic != null) return decline(state, run, traffic);
  prepared.ready = true;
  prepared.iperf3 = found.iperf3;
  if (state.connected) offer(state, prepared);
  // After `ready`: the guard gets itself ready while that is on its way.
  prepared.armed = arm(state, prepared.command, found.iperf3);
};

/** After a reconnect: the nonces that were sent before may be lost. */
export const offerAgain = (state: State): void => {
  if (state.prepared?.ready) offer(state, state.prepared);
};

/** Repeats `ready`, and forgets a run that has been on deck for too long. */
export const checkPrepared = (state: State): void => {
  const prepared = state.prepared;
  if (prepared == null) return;
  if (isDue(state, prepared.at_ms + PREPARE_TTL_MS)) {
    log(state, 'info', `run ${prepared.command.run} forgotten: prepared too long ago`);
    unprepare(state);
  } else if (prepared.ready && state.connected && isDue(state, prepared.next_ready_ms)) offer(state, prepared);
};
