import type { StartCommand } from '../../broker/contract/messages.ts';
import { bury, isDead } from './dead-tokens.ts';
import { sayDeclined, sayStarted } from './events.ts';
import { findKept, findKeptToken, forget, sendKept } from './kept.ts';
import { isAlive, unprepare } from './preparing.ts';
import { endChild, proceed } from './running.ts';
import type { Prepared, State } from './state.ts';
import { log } from './state.ts';

/** Whether a start is for what is on deck: its nonce may answer an earlier `prepare`, for another server. */
const isFor = (start: StartCommand, prepared: Prepared): boolean => {
  const server = prepared.command.server;
  if (start.server != null && (start.server.host !== server.host || start.server.port !== server.port)) return false;
  return start.lease_ms == null || prepared.command.lease_ms <= start.lease_ms;
};

/** Why this start does nothing, or the run on deck that it starts. */
const judge = (state: State, start: StartCommand): string | Prepared => {
  const prepared = state.prepared;
  if (state.leave_by_ms != null) return 'stopping: the agent is being stopped';
  if (isDead(state, start.run, start.token)) return 'token-dead: this token was declined, cancelled or has run before';
  if (state.running != null) return `busy: run ${state.running.command.run} is running`;
  if (state.child != null) return 'busy: the iperf3 of a cancelled run is still ending';
  if (prepared == null || prepared.command.run !== start.run) return 'not-prepared: this run is not on deck';
  if (!isFor(start, prepared)) return 'other-prepare: another server or lease is on deck';
  return isAlive(state, prepared, start.nonce) ? prepared : 'nonce-too-old: not sent by this agent in the last 5 s';
};

/** The lease begins: all nonces are used up, and the first test is spawned. */
const accept = (state: State, prepared: Prepared, start: StartCommand): void => {
  const command = prepared.command;
  const running = {
    command,
    token: start.token,
    nonce: start.nonce,
    iperf3: prepared.iperf3,
    armed: prepared.armed,
    accepted_ms: state.now_ms,
    lease_end_ms: state.now_ms + command.lease_ms,
    at: 0,
    retries: 0,
    retry: null,
    outputs: [],
    figures: { upload: null, download: null },
  };
  state.prepared = null;
  state.running = running;
  log(state, 'info', `run ${start.run} started with token ${start.token}`);
  sayStarted(state, start.run, start.token, start.nonce);
  proceed(state, running);
};

/**
 * A `start`: every one is answered. It runs only with a living nonce of the run on deck, and a token that never started or was refused
 * anything. The token that runs, or whose result is kept, is never declined.
 */
export const onStart = (state: State, start: StartCommand) => {
  const running = state.running;
  const leaving = state.leaving;
  if (running?.token === start.token && running.command.run === start.run)
    return sayStarted(state, running.command.run, running.token, running.nonce);
  // Its iperf3 is still alive: `declined` follows when the process is gone, as that frees the slot.
  if (leaving?.token === start.token && leaving.run === start.run)
    return sayStarted(state, leaving.run, leaving.token, leaving.nonce);
  const kept = findKeptToken(state, start.run, start.token);
  if (kept != null) {
    sayStarted(state, kept.result.run, start.token, kept.result.nonce);
    return sendKept(state, kept);
  }
  const verdict = judge(state, start);
  if (type(verdict) === 'string') {
    bury(state, start.run, start.token);
    return sayDeclined(state, start.run, start.token, start.nonce, verdict as string);
  }
  accept(state, verdict as Prepared, start);
};

/** A `cancel`: iperf3 ends, and nothing of the run is left. Its slot is free when the process is gone. */
export const onCancel = (state: State, run: string) => {
  const running = state.running;
  if (state.prepared?.command.run === run) unprepare(state);
  const kept = findKept(state, run);
  if (kept != null) forget(state, kept);
  if (running?.command.run !== run) return;
  log(state, 'info', `run ${run} cancelled`);
  bury(state, run, running.token);
  state.running = null;
  if (state.child == null) return sayDeclined(state, run, running.token, running.nonce, 'cancelled: nothing runs');
  state.leaving = { run, token: running.token, nonce: running.nonce };
  endChild(state, state.child);
};
