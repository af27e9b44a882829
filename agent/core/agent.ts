import type { AgentStatus } from '../../broker/contract/messages.ts';
import { PREPARE_TTL_MS } from '../../broker/contract/numbers.ts';
import { readCommand } from './command.ts';
import { each } from './each.ts';
import type { Action, AgentIdentity, Input } from './io.ts';
import { findKept, forget, keep, resendDue, sendAllKept, sendUnsent } from './kept.ts';
import { checkPrepared, dropPrepared, offerAgain, onChecked, onPrepare } from './preparing.ts';
import { checkTimers, endChild, onExit, proceed } from './running.ts';
import { field, isId } from './shape.ts';
import { onCancel, onStart } from './starting.ts';
import type { State } from './state.ts';
import { act, isDue, log } from './state.ts';
import { onOwnStatus, publishStatus, refreshStatus, statusOf } from './status.ts';

/**
 * The agent's decisions: an input and the time in, actions out. It does no I/O, starts no timer and never fails, whatever the input.
 * `now_ms` is monotonic and never goes back. The timers that are due are looked at before the input, so a late `wake` can make things
 * late but never wrong. An agent is at most one of: idle, with a run on deck (preparing.ts), running (running.ts), or waiting for
 * the iperf3 of a cancelled run; beside that it keeps results (kept.ts).
 */
export interface Agent {
  handle(input: Input, now_ms: number): Action[];
  /** The last will: the status, offline. */
  lastWill(): AgentStatus;
}

/** A stopping agent waits this long for iperf3, which is killed after KILL_AFTER_TERM_MS: what is left of its 5 s is for the goodbye. */
const LEAVE_AFTER_MS = 2500;

const onCommand = (state: State, payload: unknown) => {
  const command = readCommand(payload);
  switch (command.kind) {
    case 'prepare':
      return onPrepare(state, command.command, command.problems, command.text);
    case 'start':
      return onStart(state, command.start);
    case 'cancel':
      return onCancel(state, command.run);
    case 'accepted': {
      const kept = findKept(state, command.run);
      if (kept?.result.token === command.token) forget(state, kept);
      return;
    }
    case 'bad':
      return log(state, 'warn', `command dropped: ${command.reason}`);
  }
};

/** A controller with another boot knows nothing of what was sent to the one before it. */
const onController = (state: State, payload: unknown): void => {
  const boot = field(payload, 'boot');
  if (!isId(boot)) return;
  const isNew = state.controller_boot != null && state.controller_boot !== boot;
  state.controller_boot = boot;
  if (isNew && state.connected) sendAllKept(state);
};

const onConnected = (state: State): void => {
  state.connected = true;
  publishStatus(state, true);
  offerAgain(state);
  sendAllKept(state);
};

const onStop = (state: State): void => {
  if (state.leave_by_ms != null) return;
  state.leave_by_ms = state.now_ms + LEAVE_AFTER_MS;
  dropPrepared(state, 'stopping: the agent is being stopped');
  if (state.child != null) endChild(state, state.child);
  else if (state.running != null) proceed(state, state.running);
};

/** Says goodbye when nothing runs any more, or when it takes too long. */
const leave = (state: State): void => {
  if (state.leave_by_ms == null || (state.child != null && !isDue(state, state.leave_by_ms))) return;
  sendUnsent(state);
  publishStatus(state, false);
  act(state, { kind: 'exit' });
  state.gone = true;
};

const apply = (state: State, input: Input) => {
  switch (input.kind) {
    case 'connected':
      return onConnected(state);
    case 'disconnected':
      state.connected = false;
      return;
    case 'message':
      if (input.topic === 'command') return onCommand(state, input.payload);
      if (input.topic === 'status') return onOwnStatus(state, input.payload);
      return onController(state, input.payload);
    case 'checked':
      return onChecked(state, input.key, input);
    case 'exited':
      if (state.child?.key === input.key) onExit(state, input);
      return;
    case 'wake':
      return;
    case 'stop':
      return onStop(state);
  }
};

/** The next moment at which something is due by itself, or null. */
const nextWake = (state: State): number | null => {
  const moments: number[] = [];
  const child = state.child;
  const prepared = state.prepared;
  if (child != null && !child.termed) push(moments, child.term_at_ms);
  if (child != null && !child.killed) push(moments, child.kill_at_ms);
  if (state.running?.retry != null) push(moments, state.running.retry.at_ms);
  if (prepared != null) push(moments, prepared.at_ms + PREPARE_TTL_MS);
  if (prepared?.ready && state.connected) push(moments, prepared.next_ready_ms);
  if (state.connected) each(state.kept, (kept) => push(moments, kept.resend_at_ms));
  if (state.connected && state.status_due_ms != null) push(moments, state.status_due_ms);
  if (state.connected && state.change_due_ms != null) push(moments, state.change_due_ms);
  if (state.leave_by_ms != null) push(moments, state.leave_by_ms);
  return length(moments) > 0 && !state.gone ? min(...moments) : null;
};

const isSpawn = (action: Action): boolean => action.kind === 'spawn';

/** An agent that has not connected yet. */
export const createAgent = (identity: AgentIdentity): Agent => {
  const state: State = {
    identity,
    now_ms: 0,
    actions: [],
    connected: false,
    iperf3: identity.iperf3,
    prepared: null,
    running: null,
    child: null,
    leaving: null,
    kept: [],
    dead: [],
    controller_boot: null,
    status: '',
    status_ms: 0,
    status_due_ms: null,
    change_due_ms: null,
    next_key: 1,
    leave_by_ms: null,
    gone: false,
  };
  each(identity.stored, (result) => keep(state, result));
  const handle = (input: Input, now_ms: number): Action[] => {
    if (state.gone) return [];
    state.now_ms = now_ms;
    checkTimers(state);
    checkPrepared(state);
    if (state.connected) resendDue(state);
    apply(state, input);
    refreshStatus(state);
    leave(state);
    // First of all: the timer that kills is set before anything is spawned. Next iperf3, as its server waits, and then the words about it.
    const spawned = filter(state.actions, isSpawn);
    const others = filter(state.actions, (action) => !isSpawn(action));
    const actions: Action[] = [{ kind: 'wake', at_ms: nextWake(state) }, ...spawned, ...others];
    state.actions = [];
    return actions;
  };
  return { handle, lastWill: () => statusOf(state, false) };
};
