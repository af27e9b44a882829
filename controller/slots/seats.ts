import { isMaintained } from './ending.ts';
import { holdersBeside } from './endpoints.ts';
import { hostGroupHasRoom } from './servers.ts';
import type { Lease } from './state/hold.ts';
import type { Server } from './state/server.ts';

/** A server that rests or was busy elsewhere has its next run prepared this long before it is free. */
export const PREPARE_LEAD_MS = 5000;

/** A run that takes longer than its tests is expected to end any moment, the less so the longer it takes; its server is not idle. */
const OVERRUN_MS = 1000;

const leaseEndsIn = ({ granted_at, expected_ms }: Lease, now: number): number =>
  Math.max(Math.abs(granted_at + expected_ms - now), OVERRUN_MS);

/** How long it takes until the server's host group has room. */
const groupWait = (server: Server, now: number): number => {
  if (server.group === null || server.lease !== null || hostGroupHasRoom(server)) return 0;
  let wait = Number.POSITIVE_INFINITY;
  for (const { lease } of server.group.members) if (lease !== null) wait = Math.min(wait, leaseEndsIn(lease, now));
  return wait === Number.POSITIVE_INFINITY ? OVERRUN_MS : wait;
};

/** How long it takes until nobody holds the server's address under another name. */
const addressWait = (server: Server, now: number): number => {
  let wait = 0;
  for (const { lease, quarantine } of holdersBeside(server)) {
    const rested = quarantine === null ? 0 : quarantine.until - now;
    wait = Math.max(wait, rested, lease === null ? OVERRUN_MS : leaseEndsIn(lease, now));
  }
  return wait;
};

/** How long it takes, as far as can be known, until the server can take its next run, in milliseconds; 0 when it can now. */
export const expectedWait = (server: Server, now: number): number => {
  const { lease, quarantine, busy } = server;
  const free = lease === null ? 0 : leaseEndsIn(lease, now);
  const rested = quarantine === null ? 0 : quarantine.until - now;
  const left = busy === null ? 0 : busy.until - now;
  return Math.max(free, rested, left, groupWait(server, now), addressWait(server, now));
};

const endsSoon = (wait: { until: number } | null, now: number): boolean =>
  wait === null || now >= wait.until - PREPARE_LEAD_MS;

const seatIsOpen = (server: Server, now: number): boolean =>
  server.on_deck === null &&
  !server.gone &&
  !server.suppressed &&
  !server.maintenance &&
  endsSoon(server.quarantine, now) &&
  endsSoon(server.busy, now);

/** Notes whether the server's seat is open. */
export const noteSeat = (server: Server, now: number): void => {
  const open = seatIsOpen(server, now);
  if (open === server.open) return;
  server.open = open;
  for (const list of server.lists) {
    if (open) list.open.add(server);
    else list.open.delete(server);
  }
};

/** Whether a run of this length, started when the server is expected to be free, would be over before the next maintenance. */
export const fitsBefore = (server: Server, slot_ms: number, now: number): boolean =>
  server.maintenance_at === Number.POSITIVE_INFINITY || !isMaintained(server, slot_ms, now + expectedWait(server, now));
