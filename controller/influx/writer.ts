import type { Clock } from '../../broker/clock.ts';
import type { InfluxTls } from '../config/settings.ts';
import { wantsTls } from '../plain-http.ts';
import { networkReason, shortened } from '../short-reason.ts';
import type { Point } from './points.ts';

/**
 * What became of a batch. `retry`: try the same again later, nothing is wrong with the points. `rejected`: at least one point
 * is refused for good; all may be sent again, in smaller parts, to find it (points are idempotent).
 */
export type WriteOutcome =
  | { kind: 'ok' }
  | { kind: 'retry'; reason: string }
  /** `refused`: how many points, where InfluxDB says so; it has written the others then. */
  | { kind: 'rejected'; reason: string; refused: number | null };

/** Writes to one InfluxDB. Neither method throws, and both end within REQUEST_LIMIT_MS. */
export interface InfluxWriter {
  /** One request for one batch, tried once. */
  write(points: readonly Point[]): Promise<WriteOutcome>;
  /** Whether InfluxDB can be reached and would take points from us; `reason` says what to do. */
  check(): Promise<{ ok: true } | { ok: false; reason: string }>;
}

/** How long a connection may be silent. */
export const SILENCE_LIMIT_MS = 10_000;

/** How long a request may take. Needed too: an answer that comes a byte at a time is never silent. */
export const REQUEST_LIMIT_MS = 30_000;

/** What is named in messages. The address is shown without any user name or password in it. */
export interface Target {
  url: string;
  /** Such as `database "perfleet"`. */
  into: string;
  /** The settings that hold the credentials. */
  credentials: string;
}

/** For `https.request`. */
export const tlsOptions = (
  { ca, insecure }: InfluxTls = { ca: null, insecure: false },
): { ca?: string; rejectUnauthorized?: false } => ({
  ...(ca === null ? {} : { ca }),
  ...(insecure ? { rejectUnauthorized: false as const } : {}),
});

/** `partial write: field type conflict: … dropped=3`, of InfluxDB 1.x and 2.x. */
const refusedIn = (answer: string): number | null => {
  const [, dropped] = /\bpartial write\b.*\bdropped=(\d{1,9})\b/s.exec(answer) ?? [];
  return dropped === undefined ? null : Number(dropped);
};

/** InfluxDB's own words: JSON with an `error` (1.x, 3.x) or a `message` (2.x), or the plain text of VictoriaMetrics, which begins so. */
const isOwnAnswer = (answer: string): boolean => /^\s*(\{.*"(error|message)"\s*:|remoteAddr: )/s.test(answer);

/**
 * The verdict on an answer that is not a success. What anybody else answers says nothing of the points: only InfluxDB refuses them. A batch
 * that is too large is one for whatever stands before it too.
 */
export const refusal = (status: number, answer: string, { url, into, credentials }: Target): WriteOutcome => {
  const said = `InfluxDB at ${new URL(url).origin} answered ${status} (${shortened(answer)})`;
  if (wantsTls(url, answer)) return { kind: 'retry', reason: `${said}: use https:// in influx.url` };
  if (status === 413 || ([400, 422].includes(status) && isOwnAnswer(answer)))
    return { kind: 'rejected', reason: said, refused: refusedIn(answer) };
  if (status < 300)
    return {
      kind: 'retry',
      reason: `${said}, where InfluxDB answers 204: correct influx.url, or what stands before it`,
    };
  if (status === 401) return { kind: 'retry', reason: `${said}: check influx.${credentials}` };
  if (status === 403) return { kind: 'retry', reason: `${said}: allow influx.${credentials} to write to ${into}` };
  if (status === 404) return { kind: 'retry', reason: `${said}: create ${into}, or correct influx.url` };
  return { kind: 'retry', reason: said };
};

/** The verdict when there was no answer. */
export const unreachable = (error: unknown, { url }: Target): WriteOutcome => ({
  kind: 'retry',
  reason: `InfluxDB at ${new URL(url).origin} gave no answer (${networkReason(error)}): check that it runs, and influx.url`,
});

/** What a request comes to, or `unreachable` after REQUEST_LIMIT_MS; it is told to give up then. */
export const withinLimit = (
  clock: Clock,
  target: Target,
  request: (signal: AbortSignal) => Promise<WriteOutcome>,
): Promise<WriteOutcome> =>
  new Promise((resolve) => {
    const giveUp = new AbortController();
    const cancel = clock.after(REQUEST_LIMIT_MS, () => {
      resolve(unreachable('the answer did not end', target));
      giveUp.abort();
    });
    void request(giveUp.signal).then((outcome) => {
      cancel();
      resolve(outcome);
    });
  });
