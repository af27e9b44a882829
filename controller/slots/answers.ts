import { deviceOf } from './devices.ts';
import { endRun, giveUp } from './ending.ts';
import { findDeck, findFound, findLease } from './engagement.ts';
import type { SlotEvent } from './events.ts';
import { ask, release } from './lease.ts';
import { clearDeck, deckRow, noteReady, unseat } from './on-deck.ts';
import { restMs } from './plan-length.ts';
import { note, sight } from './presence.ts';
import { setBack, waitForQuiet } from './queue.ts';
import type { Lease } from './state/hold.ts';
import type { Device, Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { Step } from './state/slot-state.ts';
import { become } from './transitions.ts';

type Of<T extends SlotEvent['type']> = Extract<SlotEvent, { type: T }>;

/** Reasons for which an agent declines a run now, though it would take it later; anything else is a refusal. */
const PASSING = ['busy', 'superseded', 'stopping', 'device-unreachable'];

/** The machine-readable word in front of a reason: "iperf3-missing: not found on PATH" is `iperf3-missing`. */
export const reasonCode = (reason: string): string => reason.replace(/:.*/s, '');

/** A new boot must say itself that the token is not running: it is asked with the same `start`, byte for byte. */
const meetNewBoot = (step: Step, device: Device, boot: string): void => {
  for (const server of device.engaged) {
    const { lease, on_deck: deck } = server;
    if (lease?.run.device === device && lease.row.boot !== boot) ask(step, server, lease);
    // What is ready was made so by the boot before: only the current one is listened to.
    if (deck?.run.device === device && !deck.recovered && deck.ready !== null) unseat(step, server, deck);
  }
};

/** A device's own word about itself, or its last will. Going offline frees nothing; an on-deck run is replaced at once. */
export const onStatus = (step: Step, { device: name, online, boot }: Of<'status'>): void => {
  const device = deviceOf(step.state, name);
  const sighting = sight(step, device, boot, online);
  if (sighting === 'stale') return;
  if (sighting === 'new-boot') meetNewBoot(step, device, boot);
  if (!online) unseatAll(step, device);
};

/** What it has prepared as another boot is not listened to any more. */
export const onReached = (step: Step, { device: name, boot }: Of<'reached'>): void => {
  const device = deviceOf(step.state, name);
  const isNew = device.boot !== boot;
  note(step, device, boot, true);
  if (!isNew) return;
  meetNewBoot(step, device, boot);
  unseatAll(step, device);
};

const unseatAll = (step: Step, device: Device): void => {
  for (const server of device.engaged) {
    const deck = server.on_deck;
    if (deck?.run.device === device && !deck.recovered) unseat(step, server, deck);
  }
};

export const onReady = (step: Step, { device: name, run, boot, nonce }: Of<'ready'>): void => {
  const device = step.state.engaged.get(name) ?? deviceOf(step.state, name);
  const sighting = sight(step, device, boot, true);
  if (sighting === 'stale') return;
  if (sighting === 'new-boot') meetNewBoot(step, device, boot);
  const seat = findDeck(device, run);
  if (seat !== null) {
    if (!seat.deck.recovered) noteReady(step, seat.server, seat.deck, nonce, boot);
  } else if (!device.engaged.some((server) => server.lease?.row.run === run)) {
    step.out.push({ type: 'cancel', device: name, run, reason: 'not expected now' });
  }
};

/**
 * `declined` frees the slot. Only the boot that gave the nonce can say that the run never began, and only from it a lease that is over ends
 * cleanly: after a power cut the server still holds the session.
 */
const onStartDeclined = (step: Step, server: Server, lease: Lease, boot: string, reason: string): void => {
  const sameBoot = boot === lease.row.boot;
  const neverBegan = sameBoot && !lease.started;
  const clean = sameBoot && (neverBegan || lease.over !== null);
  release(step, server, lease, clean ? 0 : restMs(lease.row.tests));
  if (lease.over !== null) return;
  if (neverBegan) setBack(step, lease.run, 'start-declined');
  else endRun(step, lease.run, { how: 'interrupted', reason });
};

export const onDeclined = (step: Step, event: Of<'declined'>): void => {
  const { run, boot, token, nonce, reason } = event;
  const device = step.state.engaged.get(event.device);
  if (device === undefined) return;
  if (token !== null) {
    const found = findLease(device, run, token);
    if (found === null || found.lease.row.nonce !== nonce) return;
    if (boot === found.lease.row.boot || boot === device.boot)
      onStartDeclined(step, found.server, found.lease, boot, reason);
    return;
  }
  const seat = findDeck(device, run);
  if (seat === null || seat.deck.recovered) return;
  const seated = clearDeck(step, seat.server, seat.deck);
  const code = reasonCode(reason);
  if (code === 'cross-traffic') waitForQuiet(step, seated);
  else if (PASSING.includes(code)) setBack(step, seated, `declined: ${reason}`);
  else endRun(step, seated, { how: 'refused', reason, server: seat.server.server });
};

/** The start is answered, unless a later boot has been heard: then what came late does not settle whether that one runs it. */
export const onStarted = (step: Step, { device: name, run, boot, token }: Of<'started'>): void => {
  const device = step.state.engaged.get(name);
  if (device === undefined) return;
  const found = findLease(device, run, token);
  if (found === null) return;
  const { server, lease } = found;
  if (!lease.started && lease.over === null) {
    become(lease.run, 'running');
    step.out.push({ type: 'phase', run, phase: 'running', server: server.server });
  }
  lease.started = true;
  if (boot === (device.boot ?? boot)) lease.asking = lease.over !== null;
};

/** `finished` or the result itself: the slot passes on now. After a restart it may come before the lease was asked in its turn. */
export const onFinished = (step: Step, { device: name, run, token }: Of<'finished'>): void => {
  const device = step.state.engaged.get(name);
  if (device === undefined) return;
  const found = findLease(device, run, token);
  if (found !== null) {
    release(step, found.server, found.lease, 0);
    if (found.lease.over === null) noteReleased(step, found.lease.run, token);
    return;
  }
  const { server, deck } = findFound(device, run, token) ?? {};
  if (server === undefined || !deck?.ready) return;
  // Its start was sent before the restart, and its grant never came to disk.
  step.out.push({ type: 'granted', lease: deckRow(server, deck, deck.ready, true) });
  clearDeck(step, server, deck);
  if (deck.over === null) noteReleased(step, deck.run, token);
  else giveUp(step.state, deck.run, 'ended');
};

const noteReleased = ({ state, out }: Step, run: Run, token: number): void => {
  giveUp(state, run, 'released');
  out.push({ type: 'released', run: run.request.run, token });
};
