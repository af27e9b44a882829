import type { RunResult } from '../../broker/contract/messages.ts';
import { RESEND_FIRST_MS, RESEND_MAX_MS } from '../../broker/contract/numbers.ts';
import { resultTopic } from '../../broker/contract/topics.ts';
import { bury } from './dead-tokens.ts';
import { each } from './each.ts';
import { sayFinished } from './events.ts';
import type { Room, StoredResult } from './io.ts';
import type { Kept, State } from './state.ts';
import { act, log } from './state.ts';

/** Bounds of what lies in the device's memory, where the host sets none. The oldest goes first. */
const ROOM: Room = { results: 64, bytes: 8388608 };

/**
 * The result leaves this long after `finished`: in that time the next device begins, and neither the link nor the controller is to be busy
 * with something else.
 */
const FIRST_SEND_MS = 100;

/** A result as it is published: with the boot of the agent that speaks now, whichever start ran it. */
const asPayload = (state: State, result: StoredResult): RunResult => ({
  run: result.run,
  token: result.token,
  boot: state.identity.boot,
  tests: result.tests,
});

export const findKept = (state: State, run: string): Kept | null =>
  filter(state.kept, (kept) => kept.result.run === run)[0] ?? null;

export const findKeptToken = (state: State, run: string, token: number): Kept | null =>
  filter(state.kept, (kept) => kept.result.run === run && kept.result.token === token)[0] ?? null;

/** Says that the run of a result is over: its slot is free. */
export const sayKept = (state: State, kept: Kept): void => sayFinished(state, kept.result.run, kept.result.token);

const sendResult = (state: State, kept: Kept): void => {
  const topic = resultTopic(state.identity.device, kept.result.run);
  act(state, { kind: 'publish', what: 'result', topic, payload: asPayload(state, kept.result) });
  if (kept.sent) return;
  kept.sent = true;
  kept.resend_at_ms = state.now_ms + RESEND_FIRST_MS;
};

/** Sends at once what was not sent yet: there will be no later. */
export const sendUnsent = (state: State): void =>
  each(state.kept, (kept) => {
    if (!kept.sent) sendResult(state, kept);
  });

/** Says `finished` and sends the result. */
export const sendKept = (state: State, kept: Kept): void => {
  sayKept(state, kept);
  sendResult(state, kept);
};

/**
 * Sends every result that nobody accepted yet: after a reconnect, and to a new controller. The waits begin anew. What frees slots goes first:
 * megabytes of results may take a thin link minutes.
 */
export const sendAllKept = (state: State): void => {
  each(state.kept, (kept) => sayKept(state, kept));
  each(state.kept, (kept) => {
    sendResult(state, kept);
    kept.delay_ms = RESEND_FIRST_MS;
    kept.resend_at_ms = state.now_ms + RESEND_FIRST_MS;
  });
};

/** Sends what is due for the first time, and again what was sent long enough ago, doubling the wait. */
export const resendDue = (state: State): void =>
  each(state.kept, (kept) => {
    if (state.now_ms < kept.resend_at_ms) return;
    if (!kept.sent) return sendResult(state, kept);
    sendKept(state, kept);
    kept.delay_ms = min(2 * kept.delay_ms, RESEND_MAX_MS);
    kept.resend_at_ms = state.now_ms + kept.delay_ms;
  });

/** Forgets a result; its token never starts anything again. */
export const forget = (state: State, kept: Kept): void => {
  bury(state, kept.result.run, kept.result.token);
  state.kept = filter(state.kept, (other) => other !== kept);
  act(state, { kind: 'forget_result', run: kept.result.run });
};

const totalBytes = (state: State): number => {
  const total = { bytes: 0 };
  each(state.kept, (kept) => {
    total.bytes += kept.bytes;
  });
  return total.bytes;
};

/** Keeps a result in memory until it is accepted, and drops the oldest ones when there are too many; never this one. */
export const keep = (state: State, result: StoredResult): Kept => {
  const kept: Kept = {
    result,
    bytes: length(sprintf('%J', result)),
    sent: false,
    resend_at_ms: state.now_ms + FIRST_SEND_MS,
    delay_ms: RESEND_FIRST_MS,
  };
  push(state.kept, kept);
  const room = state.identity.room?.() ?? ROOM;
  while (length(state.kept) > 1 && (length(state.kept) > room.results || totalBytes(state) > room.bytes)) {
    each(slice(state.kept, 0, 1), (oldest) => {
      log(state, 'warn', `result of run ${oldest.result.run} dropped: too many wait to be accepted, or memory is low`);
      forget(state, oldest);
    });
  }
  return kept;
};
