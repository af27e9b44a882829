import { jittered } from './jitter.ts';
import { AFTER_PROBE_MS, PROBE_INTERVAL_MS, sendProbe } from './probing.ts';
import { PREPARE_LEAD_MS } from './seats.ts';
import { changeServer, mayBeRunning } from './servers.ts';
import type { Server } from './state/server.ts';
import type { SlotState, Step } from './state/slot-state.ts';

/** Nobody starts on a server that was testing somebody else for this long; it doubles each time in a row … */
const BUSY_FIRST_MS = 5000;

/** … up to this. */
const BUSY_MAX_MS = 60_000;

/** A result says whether the server was testing somebody outside of perfleet. */
export const noteServed = ({ state, now }: Step, server: Server, busy_elsewhere: boolean): void => {
  if (!busy_elsewhere) {
    server.busy_strikes = 0;
    if (server.busy !== null) changeServer(state, server, { busy: null });
    return;
  }
  const wait = jittered(Math.min(BUSY_MAX_MS, BUSY_FIRST_MS * 2 ** server.busy_strikes), state.random);
  server.busy_strikes += 1;
  changeServer(state, server, { busy: { until: now + wait, probe_at: now + PROBE_INTERVAL_MS } });
};

/** A probe found the server free: the wait is over as soon as it has cleaned up after the probe. */
export const shortenBusy = ({ now }: Step, { busy }: Server): void => {
  if (busy === null) return;
  busy.until = Math.min(busy.until, now + AFTER_PROBE_MS);
  busy.probe_at = Number.POSITIVE_INFINITY;
};

/** Whether a probe says something about the wait, and disturbs nobody. A server that rests is probed for that. */
const isProbed = (server: Server): boolean => !mayBeRunning(server) && server.quarantine === null;

/** Ends the wait when it is over, and probes before that. */
export const tendBusy = (step: Step, server: Server): void => {
  const { state, now } = step;
  const { busy } = server;
  if (busy === null) return;
  if (now >= busy.until) {
    changeServer(state, server, { busy: null });
    server.free_since = Math.max(now, server.free_since);
  } else if (now >= busy.probe_at && state.in_charge && isProbed(server)) {
    busy.probe_at = now + PROBE_INTERVAL_MS;
    sendProbe(step, server);
  }
};

/** When the wait next needs a look by itself. */
export const busyWake = ({ in_charge }: SlotState, server: Server, now: number): number => {
  const { busy } = server;
  if (busy === null) return Number.POSITIVE_INFINITY;
  const seatOpens = busy.until - PREPARE_LEAD_MS;
  const probe_at = in_charge && isProbed(server) ? busy.probe_at : Number.POSITIVE_INFINITY;
  return Math.min(busy.until, probe_at, seatOpens > now ? seatOpens : Number.POSITIVE_INFINITY);
};
