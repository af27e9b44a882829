import { onDeclined, onFinished, onReached, onReady, onStarted, onStatus } from './answers.ts';
import { noteServed, shortenBusy } from './busy.ts';
import { endRun } from './ending.ts';
import type { RunRequest, SlotEvent } from './events.ts';
import { unseat } from './on-deck.ts';
import { forgetPresence } from './presence.ts';
import { checkServer, noteProbed } from './probing.ts';
import { restForStranger, shortenRest } from './quarantine.ts';
import { enqueue, newRun, nextSequence, replaceRequest } from './queue.ts';
import { changeServer } from './servers.ts';
import type { Server } from './state/server.ts';
import type { Step } from './state/slot-state.ts';
import { suppress } from './suppressing.ts';
import { touch } from './touched.ts';
import { cancelRun, skipRun } from './withdrawal.ts';

/** What an event changes by itself; what follows from it comes after that (slots.ts). */
export const applyEvent = (step: Step, event: SlotEvent): void => {
  switch (event.type) {
    case 'submit':
      submit(step, event.request);
      break;
    case 'submit-anew':
      for (const request of event.requests) submit(step, request);
      break;
    case 'cancel':
      cancelRun(step, event.run, event.reason);
      break;
    case 'skip':
      skipRun(step, event.run, event.reason);
      break;
    case 'suppressions':
      suppress(step, event.active);
      break;
    case 'in-charge':
      takeCharge(step, event.yes);
      break;
    case 'status':
      onStatus(step, event);
      break;
    case 'reached':
      onReached(step, event);
      break;
    case 'ready':
      onReady(step, event);
      break;
    case 'declined':
      onDeclined(step, event);
      break;
    case 'started':
      onStarted(step, event);
      break;
    case 'finished':
      onFinished(step, event);
      break;
    case 'maintenance':
    case 'served':
    case 'check':
    case 'probed':
    case 'stranger': {
      const server = step.state.servers.get(event.server);
      if (server !== undefined) applyTo(step, server, event);
      break;
    }
    case 'tick':
      break;
  }
};

type ServerEvent = Extract<SlotEvent, { type: 'maintenance' | 'served' | 'check' | 'probed' | 'stranger' }>;

const applyTo = (step: Step, server: Server, event: ServerEvent): void => {
  touch(step.state, server);
  if (event.type === 'maintenance') {
    server.maintenance_at = event.next_at;
    changeServer(step.state, server, { maintenance: event.under_way });
  } else if (event.type === 'served') {
    noteServed(step, server, event.busy_elsewhere);
  } else if (event.type === 'stranger') {
    restForStranger(step, server, event.rest_ms);
  } else if (event.type === 'check') {
    checkServer(step, server);
  } else {
    noteProbed(step, server, event.verdict);
    // "busy" and "silent" shorten nothing.
    if (event.verdict !== 'free') return;
    shortenRest(step, server);
    shortenBusy(step, server);
  }
};

const submit = (step: Step, request: RunRequest): void => {
  const { state, out } = step;
  const known = state.runs.get(request.run);
  if (known !== undefined && known.line === null) return;
  if (!request.servers.some((server) => state.servers.get(server)?.gone === false)) {
    if (known !== undefined) endRun(step, known, { how: 'skipped', reason: 'no-server' });
    else out.push({ type: 'ended', run: request.run, ending: { how: 'skipped', reason: 'no-server' } });
    return;
  }
  if (known !== undefined) {
    replaceRequest(step, known, request);
    return;
  }
  const run = newRun(state, request, step.now);
  run.sequence = nextSequence(state);
  state.runs.set(request.run, run);
  enqueue(step, run);
};

/** Out of charge nothing is granted, and nothing is known of any device until it is heard again. */
const takeCharge = (step: Step, yes: boolean): void => {
  const { state } = step;
  if (yes === state.in_charge) return;
  state.in_charge_since = step.now;
  state.in_charge = yes;
  state.everything = true;
  if (yes) return;
  forgetPresence(step);
  for (const server of state.servers.values()) {
    const deck = server.on_deck;
    if (deck !== null && !deck.recovered) unseat(step, server, deck);
  }
};
