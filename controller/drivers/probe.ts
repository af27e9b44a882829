import { randomBytes } from 'node:crypto';
import { connect, isIP } from 'node:net';
import type { Clock } from '../../broker/clock.ts';

/** A server that says nothing for this long is stuck. */
const SILENT_AFTER_MS = 3000;

/** iperf3's states, from its iperf_api.h: the first byte that a server answers to a client's cookie. */
const PARAM_EXCHANGE = 9;
const ACCESS_DENIED = 0xff;

/** iperf3 identifies a session by 36 characters and a NUL. */
const COOKIE_BYTES = 37;

/**
 * What a probe finds. `silent`: it takes the connection and does not answer, or hangs up; `unreachable`: there is no connection;
 * `not-iperf3`: something else listens there.
 */
export const PROBE_VERDICTS = [
  'answers',
  'busy',
  'silent',
  'refused',
  'unreachable',
  'unresolved',
  'not-iperf3',
] as const;
export type ProbeVerdict = (typeof PROBE_VERDICTS)[number];

export interface ProbeReport {
  verdict: ProbeVerdict;
  /** From the cookie to the server's answer; null without one. */
  round_trip_ms: number | null;
}

const UNRESOLVED = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'];

const verdictOfError = (code: string | undefined): ProbeVerdict => {
  if (code === 'ECONNREFUSED') return 'refused';
  return code !== undefined && UNRESOLVED.includes(code) ? 'unresolved' : 'unreachable';
};

const verdictOfAnswer = (first: number | undefined): ProbeVerdict => {
  if (first === PARAM_EXCHANGE) return 'answers';
  return first === ACCESS_DENIED ? 'busy' : 'not-iperf3';
};

/**
 * Asks an iperf3 server whether it would take a test, without running one: sends a session cookie and reads one byte.
 * Never for a server that is leased: between two tests it would find it free and could reset the next one. One that answers needs a
 * moment to clean up, and a one-off server starts again. Answers after at most 3 s. Never rejects.
 */
export const probeServer = (host: string, port: number, clock: Clock): Promise<ProbeReport> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    let sent_at = 0;
    /** What it means when nothing more comes. */
    let so_far: ProbeVerdict = isIP(host) === 0 ? 'unresolved' : 'unreachable';
    const settle = (verdict: ProbeVerdict, round_trip_ms: number | null = null) => {
      cancelTimer();
      socket.destroy();
      resolve({ verdict, round_trip_ms });
    };
    const cancelTimer = clock.after(SILENT_AFTER_MS, () => settle(so_far));
    const cookie = Buffer.alloc(COOKIE_BYTES);
    cookie.write(randomBytes(18).toString('hex'));
    socket.on('lookup', () => {
      so_far = 'unreachable';
    });
    socket.on('connect', () => {
      so_far = 'silent';
      sent_at = clock.now();
      socket.write(cookie);
    });
    socket.once('data', (answer) => settle(verdictOfAnswer(answer[0]), clock.now() - sent_at));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(so_far === 'silent' ? so_far : verdictOfError(error.code)),
    );
    socket.on('close', () => settle(so_far));
  });
