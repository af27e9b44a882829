import { settle } from './fairness.ts';
import { PREPARE_LEAD_MS } from './seats.ts';
import { changeServer, mayBeRunning } from './servers.ts';
import type { Lease, Quarantine, Server, SlotState, Step } from './state.ts';

/** The first probe comes this long after the unclean end, the next ones as far apart. */
export const PROBE_INTERVAL_MS = 5000;

/** After a probe that shows the server free it needs a moment to clean up (facts of iperf3 3.12). */
export const AFTER_PROBE_MS = 500;

/** The rest after the lease, for `rest_ms` or until a probe shows that the server is free. A longer one under way stays. */
export const rest = (
  { now }: Step,
  { quarantine }: Server,
  rest_ms: number,
  { row, run: { request } }: Lease,
): Quarantine => ({
  until: Math.max(now + rest_ms, quarantine?.until ?? now),
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
  const probing = false;
  changeServer(state, server, { quarantine: { until, row, probe_at: Number.POSITIVE_INFINITY, probing, owner } });
  if (restsForStranger(server)) server.shown = null;
};

/** Whether only a stranger's lease keeps the server from being idle. */
export const restsForStranger = ({ lease, quarantine }: Server): boolean =>
  lease === null && quarantine !== null && quarantine.row === null;

/** A probe may shorten a quarantine, never a lease; one that was sent in an earlier rest says nothing about this one. */
export const shortenRest = ({ now }: Step, { quarantine }: Server): void => {
  if (quarantine === null || !quarantine.probing || quarantine.probe_at === Number.POSITIVE_INFINITY) return;
  quarantine.probing = false;
  quarantine.until = Math.min(quarantine.until, now + AFTER_PROBE_MS);
  quarantine.probe_at = Number.POSITIVE_INFINITY;
};

/** The organization whose lease ended uncleanly has had the server while it rested. */
const chargeRest = ({ accounts }: Server, { owner }: Quarantine, now: number): void => {
  if (owner !== null) settle(accounts, owner.organization, now - owner.since, owner.priority);
};

/** Ends the rest when it is over, and probes before that; out of charge another controller's client may be there. */
export const tendQuarantine = ({ state, now, out }: Step, server: Server): void => {
  const { quarantine } = server;
  if (quarantine === null) return;
  if (now >= quarantine.until) {
    changeServer(state, server, { quarantine: null });
    server.free_since = now;
    if (quarantine.row !== null) out.push({ type: 'drop-lease', token: quarantine.row.token });
    chargeRest(server, quarantine, now);
  } else if (now >= quarantine.probe_at && state.in_charge && !mayBeRunning(server)) {
    quarantine.probe_at = now + PROBE_INTERVAL_MS;
    quarantine.probing = true;
    out.push({ type: 'probe', server: server.server });
  }
};

/** When the quarantine next needs a look by itself. */
export const quarantineWake = ({ in_charge }: SlotState, server: Server, now: number): number => {
  const { quarantine } = server;
  if (quarantine === null) return Number.POSITIVE_INFINITY;
  const seatOpens = quarantine.until - PREPARE_LEAD_MS;
  const probe_at = mayBeRunning(server) || !in_charge ? Number.POSITIVE_INFINITY : quarantine.probe_at;
  return Math.min(quarantine.until, probe_at, seatOpens > now ? seatOpens : Number.POSITIVE_INFINITY);
};
