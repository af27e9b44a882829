import { settle } from './fairness.ts';
import { AFTER_PROBE_MS, PROBE_INTERVAL_MS, sendProbe } from './probing.ts';
import { PREPARE_LEAD_MS } from './seats.ts';
import { changeServer, mayBeRunning } from './servers.ts';
import type { Lease } from './state/hold.ts';
import type { Quarantine, Server } from './state/server.ts';
import type { SlotState, Step } from './state/slot-state.ts';

/** The rest after the lease, for `rest_ms` or until a probe shows that the server is free. A longer one under way stays. */
export const rest = (
  { now }: Step,
  { quarantine }: Server,
  rest_ms: number,
  { row, run: { request } }: Lease,
): Quarantine => ({
  until: Math.max(now + rest_ms, quarantine?.until ?? now),
  endpoint: row.endpoint,
  row,
  probe_at: quarantine === null ? now + PROBE_INTERVAL_MS : quarantine.probe_at,
  probing: false,
  owner: { since: now, organization: request.organization, priority: request.priority },
});

/** The server rests after somebody else's lease. No probe: the client may live, and between two of its tests it would look free. */
export const restForStranger = ({ state, now }: Step, server: Server, rest_ms: number): void => {
  const { quarantine } = server;
  const until = Math.max(now + rest_ms, quarantine?.until ?? now);
  const row = quarantine?.row ?? null;
  const owner = quarantine?.owner ?? null;
  const endpoint = quarantine?.endpoint ?? server.address;
  const unprobed = { probe_at: Number.POSITIVE_INFINITY, probing: false };
  changeServer(state, server, { quarantine: { until, endpoint, row, ...unprobed, owner } });
  if (restsForStranger(server)) server.shown = null;
};

/** Whether only a stranger's lease keeps the server from being idle. */
export const restsForStranger = ({ lease, quarantine }: Server): boolean =>
  lease === null && quarantine !== null && quarantine.row === null;

/**
 * A probe may shorten a quarantine, never a lease; one that was sent in an earlier rest, or to an address that the server had before, says
 * nothing about this one.
 */
export const shortenRest = ({ now }: Step, { quarantine, address }: Server): void => {
  if (quarantine === null || !quarantine.probing || quarantine.endpoint !== address) return;
  if (quarantine.probe_at === Number.POSITIVE_INFINITY) return;
  quarantine.probing = false;
  quarantine.until = Math.min(quarantine.until, now + AFTER_PROBE_MS);
  quarantine.probe_at = Number.POSITIVE_INFINITY;
};

/** The organization whose lease ended uncleanly has had the server while it rested. */
const chargeRest = ({ accounts }: Server, { owner }: Quarantine, now: number): void => {
  if (owner !== null) settle(accounts, owner.organization, now - owner.since, owner.priority);
};

/** A probe asks the address that the server has now: it says nothing about one that it had. */
const isProbed = (server: Server, { endpoint }: Quarantine): boolean =>
  !mayBeRunning(server) && endpoint === server.address;

/** Ends the rest when it is over, and probes before that; out of charge another controller's client may be there. */
export const tendQuarantine = (step: Step, server: Server): void => {
  const { state, now, out } = step;
  const { quarantine } = server;
  if (quarantine === null) return;
  if (now >= quarantine.until) {
    changeServer(state, server, { quarantine: null });
    server.free_since = now;
    if (quarantine.row !== null) out.push({ type: 'drop-lease', token: quarantine.row.token });
    chargeRest(server, quarantine, now);
  } else if (now >= quarantine.probe_at && state.in_charge && isProbed(server, quarantine)) {
    quarantine.probe_at = now + PROBE_INTERVAL_MS;
    quarantine.probing = true;
    sendProbe(step, server);
  }
};

/** When the quarantine next needs a look by itself. */
export const quarantineWake = ({ in_charge }: SlotState, server: Server, now: number): number => {
  const { quarantine } = server;
  if (quarantine === null) return Number.POSITIVE_INFINITY;
  const seatOpens = quarantine.until - PREPARE_LEAD_MS;
  const probe_at = in_charge && isProbed(server, quarantine) ? quarantine.probe_at : Number.POSITIVE_INFINITY;
  return Math.min(quarantine.until, probe_at, seatOpens > now ? seatOpens : Number.POSITIVE_INFINITY);
};
