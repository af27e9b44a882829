import { holdersBeside } from './endpoints.ts';
import type { SlotEffect } from './events.ts';
import { changeServer } from './servers.ts';
import type { Server } from './state/server.ts';
import type { Step } from './state/slot-state.ts';

/*
 * The one door for probes, of a rest, of a wait, or of a person. From the moment that one is sent until the server has cleaned up after it
 * nobody starts there: a probe counts as a client. One that is out is never joined by a second, which would find the server busy with it.
 */

/** A server that rests, or was busy elsewhere, is probed this long after that began, and then as far apart. */
export const PROBE_INTERVAL_MS = 5000;

/** After a probe that shows the server free it needs a moment to clean up (facts of iperf3 3.12); a one-off one starts again. */
export const AFTER_PROBE_MS = 500;

/** A probe is over after 3 s (drivers/probe.ts); should nobody say so, the server is free for a start after this at the latest. */
export const PROBE_HOLD_MS = 5000;

/** Asks the server's present address whether it would take a test. The caller has made sure that none of our clients can be there. */
export const sendProbe = ({ state, now, out }: Step, server: Server): void => {
  changeServer(state, server, { probe: { until: now + PROBE_HOLD_MS, endpoint: server.address } });
  out.push({ type: 'probe', server: server.server });
};

/** The probe is over. */
export const noteProbed = ({ state, now }: Step, server: Server, verdict: 'free' | 'busy' | 'silent'): void => {
  const { probe } = server;
  if (probe === null) return;
  const moment = verdict === 'free' ? AFTER_PROBE_MS : 0;
  changeServer(state, server, { probe: { ...probe, until: Math.min(probe.until, now + moment) } });
};

/** The server may be given to somebody again when the probe is over, and it has cleaned up after it. */
export const tendProbe = ({ state, now }: Step, server: Server): void => {
  const { probe } = server;
  if (probe === null || now < probe.until) return;
  changeServer(state, server, { probe: null });
  server.free_since = Math.max(now, server.free_since);
};

/** When the probe next needs a look by itself. */
export const probeWake = ({ probe }: Server): number => probe?.until ?? Number.POSITIVE_INFINITY;

type Unprobed = Extract<SlotEffect, { type: 'unprobed' }>;

/** Whose client is, or may be, at the server's address. */
const clientAt = (server: Server): { device: string; run: string } | null => {
  for (const { lease, on_deck } of [server, ...holdersBeside(server)]) {
    if (lease !== null) return { device: lease.row.device, run: lease.row.run };
    if (on_deck?.recovered) return { device: on_deck.run.request.device, run: on_deck.run.request.run };
  }
  return null;
};

/** A rest that only time ends: a stranger's client may be there. */
const restsUnprobed = ({ quarantine, probe }: Server): boolean =>
  quarantine !== null && quarantine.probe_at === Number.POSITIVE_INFINITY && probe === null;

const whyNot = ({ state }: Step, server: Server): Pick<Unprobed, 'why' | 'client'> | null => {
  const client = clientAt(server);
  if (client !== null) return { why: 'in-use', client };
  if (!state.in_charge) return { why: 'not-in-charge', client };
  // Under the name that the address had before a reload somebody may be looking already.
  if (restsUnprobed(server) || holdersBeside(server).length > 0) return { why: 'resting', client };
  return server.probe === null ? null : { why: 'probed', client };
};

/** A person wants to know whether the server answers: it is probed, unless a client of ours or of another controller may be there. */
export const checkServer = (step: Step, server: Server): void => {
  const { out, now } = step;
  const refusal = whyNot(step, server);
  if (refusal !== null) {
    out.push({ type: 'unprobed', server: server.server, ...refusal });
    return;
  }
  const { quarantine, busy, address } = server;
  // What it finds counts for the rest and the wait, too.
  if (quarantine !== null && quarantine.endpoint === address) {
    Object.assign(quarantine, { probe_at: now + PROBE_INTERVAL_MS, probing: true });
  }
  if (busy !== null) busy.probe_at = now + PROBE_INTERVAL_MS;
  sendProbe(step, server);
};
