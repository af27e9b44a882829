import type { AgentStatus } from '../../broker/contract/messages.ts';
import { statusTopic } from '../../broker/contract/topics.ts';
import { capabilities } from '../iperf3/version.ts';
import { field, isObject } from './shape.ts';
import type { State } from './state.ts';
import { act, isDue } from './state.ts';

/** Two agents with one name would answer each other's status for ever: not more often than this. */
const REPAIR_INTERVAL_MS = 1000;

/** A change is told this much later: nobody waits for it, but somebody may wait for the link. Mostly a result is accepted by then. */
const CHANGE_REST_MS = 1000;

/** What the agent says about itself; with `online` false it is also the last will. */
export const statusOf = (state: State, online: boolean): AgentStatus => ({
  online,
  boot: state.identity.boot,
  agent: state.identity.agent,
  host: state.identity.host,
  iperf3: state.iperf3,
  capabilities: capabilities(state.iperf3),
  pending: length(state.kept),
});

/** Publishes the status, retained. */
export const publishStatus = (state: State, online: boolean): void => {
  const payload = statusOf(state, online);
  state.status = sprintf('%J', payload);
  state.status_ms = state.now_ms;
  state.status_due_ms = null;
  state.change_due_ms = null;
  act(state, { kind: 'publish', what: 'status', topic: statusTopic(state.identity.device), payload });
};

/** The agent's own retained status, as the broker has it: a stale last will, or the word of an earlier start, is put right. */
export const onOwnStatus = (state: State, payload: unknown): void => {
  if (!isObject(payload)) return;
  if (field(payload, 'online') === true && field(payload, 'boot') === state.identity.boot) return;
  state.status_due_ms = max(state.now_ms, state.status_ms + REPAIR_INTERVAL_MS);
};

/** Publishes the status when it has changed for a while, or has to be put right. */
export const refreshStatus = (state: State): void => {
  if (!state.connected || state.gone) return;
  const isSaid = sprintf('%J', statusOf(state, true)) === state.status;
  state.change_due_ms = isSaid ? null : (state.change_due_ms ?? state.now_ms + CHANGE_REST_MS);
  if (isDue(state, state.status_due_ms) || isDue(state, state.change_due_ms)) publishStatus(state, true);
};
