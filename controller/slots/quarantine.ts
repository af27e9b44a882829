import { PREPARE_LEAD_MS } from './seats.ts';
import { changeServer, mayBeRunning } from './servers.ts';
import type { Quarantine, Server, Step } from './state.ts';

/** The first probe comes this long after the unclean end, the next ones as far apart. */
export const PROBE_INTERVAL_MS = 5000;

/** After a probe that shows the server free it needs a moment to clean up (facts of iperf3 3.12). */
export const AFTER_PROBE_MS = 500;

/** The rest after the lease of `token`, for `rest_ms` or until a probe shows that the server is free. A longer one under way stays. */
export const rest = ({ now }: Step, { quarantine }: Server, rest_ms: number, token: number): Quarantine => ({
  until: Math.max(now + rest_ms, quarantine?.until ?? now),
  token,
  probe_at: quarantine === null ? now + PROBE_INTERVAL_MS : quarantine.probe_at,
});

/** The server rests after somebody else's lease. No probe: the client may live, and between two of its tests it would look free. */
export const restForStranger = ({ state, now }: Step, server: Server, rest_ms: number): void => {
  const { quarantine } = server;
  const until = Math.max(now + rest_ms, quarantine?.until ?? now);
  const token = quarantine?.token ?? null;
  changeServer(state, server, { quarantine: { until, token, probe_at: Number.POSITIVE_INFINITY } });
  if (restsForStranger(server)) server.shown = null;
};

/** Whether only a stranger's lease keeps the server from being idle. */
export const restsForStranger = ({ lease, quarantine }: Server): boolean =>
  lease === null && quarantine !== null && quarantine.token === null;

/** A probe may shorten a quarantine, never a lease. */
export const shortenRest = ({ now }: Step, { quarantine }: Server): void => {
  if (quarantine === null || quarantine.probe_at === Number.POSITIVE_INFINITY) return;
  quarantine.until = Math.min(quarantine.until, now + AFTER_PROBE_MS);
  quarantine.probe_at = Number.POSITIVE_INFINITY;
};

/** Ends the rest when it is over, and probes before that. */
export const tendQuarantine = ({ state, now, out }: Step, server: Server): void => {
  const { quarantine } = server;
  if (quarantine === null) return;
  if (now >= quarantine.until) {
    changeServer(state, server, { quarantine: null });
    server.free_since = now;
    if (quarantine.token !== null) out.push({ type: 'drop-lease', token: quarantine.token });
  } else if (now >= quarantine.probe_at && !mayBeRunning(server)) {
    quarantine.probe_at = now + PROBE_INTERVAL_MS;
    out.push({ type: 'probe', server: server.server });
  }
};

/** When the quarantine next needs a look by itself. */
export const quarantineWake = (server: Server, now: number): number => {
  const { quarantine } = server;
  if (quarantine === null) return Number.POSITIVE_INFINITY;
  const seatOpens = quarantine.until - PREPARE_LEAD_MS;
  const probe_at = mayBeRunning(server) ? Number.POSITIVE_INFINITY : quarantine.probe_at;
  return Math.min(quarantine.until, probe_at, seatOpens > now ? seatOpens : Number.POSITIVE_INFINITY);
};
