import type { AgentEvent } from '../../broker/contract/messages.ts';
import { eventTopic } from '../../broker/contract/topics.ts';
import type { State } from './state.ts';
import { act } from './state.ts';

/** The contract takes reasons up to 1000 characters. */
const LONGEST_REASON = 1000;

const publish = (state: State, payload: AgentEvent): void =>
  act(state, { kind: 'publish', what: 'event', topic: eventTopic(state.identity.device), payload });

export const sayReady = (state: State, run: string, nonce: string): void =>
  publish(state, { type: 'ready', run, boot: state.identity.boot, nonce });

export const sayStarted = (state: State, run: string, token: number, nonce: string): void =>
  publish(state, { type: 'started', run, boot: state.identity.boot, token, nonce });

export const sayFinished = (state: State, run: string, token: number): void =>
  publish(state, { type: 'finished', run, boot: state.identity.boot, token });

/** Says no to a start, or to a `prepare`: then `token` and `nonce` are null. Reasons begin with a fixed word and are ASCII. */
export const sayDeclined = (
  state: State,
  run: string,
  token: number | null,
  nonce: string | null,
  reason: string,
): void =>
  publish(state, {
    type: 'declined',
    run,
    boot: state.identity.boot,
    token,
    nonce,
    reason: substr(reason, 0, LONGEST_REASON),
  });
