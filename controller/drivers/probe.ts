import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Clock } from '../../broker/clock.ts';

/** A server that says nothing for this long is stuck. */
const SILENT_AFTER_MS = 3000;

/** iperf3's states, from its iperf_api.h: the first byte that a server answers to a client's cookie. */
const PARAM_EXCHANGE = 9;

/** iperf3 identifies a session by 36 characters and a NUL. */
const COOKIE_BYTES = 37;

export type ProbeVerdict = 'free' | 'busy' | 'silent';

/**
 * Asks an iperf3 server whether it would take a test, without running one: sends a session cookie and reads one byte.
 * Never for a server that is leased: between two tests it would find it free and could reset the next one.
 * Answers after at most 3 s; a server that can't be reached counts as silent. Never rejects.
 */
export const probeServer = (host: string, port: number, clock: Clock): Promise<ProbeVerdict> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (verdict: ProbeVerdict) => {
      cancelTimer();
      socket.destroy();
      resolve(verdict);
    };
    const cancelTimer = clock.after(SILENT_AFTER_MS, () => settle('silent'));
    const cookie = Buffer.alloc(COOKIE_BYTES);
    cookie.write(randomBytes(18).toString('hex'));
    socket.on('connect', () => socket.write(cookie));
    socket.once('data', (answer) => settle(answer[0] === PARAM_EXCHANGE ? 'free' : 'busy'));
    socket.on('error', () => settle('silent'));
    socket.on('close', () => settle('silent'));
  });
