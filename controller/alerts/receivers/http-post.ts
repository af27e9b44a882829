import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Clock } from '../../../broker/clock.ts';
import { wantsTls } from '../../plain-http.ts';
import { networkReason, shortened } from '../../short-reason.ts';
import type { Outcome } from './receiver.ts';

/** So much of an answer is read; what comes after it is not waited for. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** And for so long: the status is known by then, the text is only shown. */
const MAX_ANSWER_MS = 500;

export interface HttpPost {
  url: string;
  /** Beside those of JSON. */
  headers: Record<string, string>;
  /** JSON. */
  body: string;
  /** PEM, instead of the system's authorities. */
  ca: string | null;
  /** Named in errors: what people may have to correct, such as `the webhook`. */
  what: string;
  /** Whether an answer of 400 or 422 is the receiver's own; whatever stands before it says nothing of what was sent. All are, unless it is there. */
  isOwn?: (answer: string) => boolean;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

const readBounded = async (message: IncomingMessage, clock: Clock): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const cancel = clock.after(MAX_ANSWER_MS, () => message.destroy());
  try {
    for await (const chunk of message) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_ANSWER_BYTES) break; // which destroys the connection
    }
  } catch {
    // The status is what counts.
  } finally {
    cancel();
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString();
};

const ask = ({ url, headers, body, ca }: HttpPost, clock: Clock, signal: AbortSignal): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const bytes = Buffer.from(body);
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': bytes.length, ...headers },
      agent: false, // a connection of its own, closed after the answer
      signal,
    };
    const answered = (message: IncomingMessage) =>
      void readBounded(message, clock).then((text) =>
        resolve({ status: Number(message.statusCode), headers: message.headers, text }),
      );
    const sent: ClientRequest = url.startsWith('https:')
      ? tlsRequest(url, { ...options, ...(ca === null ? {} : { ca }) }, answered)
      : plainRequest(url, options, answered);
    sent.on('error', reject);
    sent.end(bytes);
  });

/** RFC 9110: seconds, or a date. `now_ms` is the wall clock. */
const retryAfterMs = (header: string | undefined, now_ms: number): number | undefined => {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now_ms;
  return ms > 0 ? ms : undefined;
};

/** The statuses that are about what was sent. Any other may pass: a token is renewed, what is behind a proxy comes back. */
const REFUSALS = [400, 413, 415, 422];

/**
 * Sends JSON once. An answer from 200 to 299 is a success; 400, 413, 415 and 422 refuse what was sent; any other, a redirection too (not
 * followed: what is to be corrected is the address), and no answer are tried again, and so is a 400 because https:// is missing. The address is shown without its path, which may be a
 * secret.
 */
export const httpPost = async (post: HttpPost, clock: Clock, signal: AbortSignal): Promise<Outcome> => {
  const where = `${post.what} at ${new URL(post.url).origin}`;
  try {
    const { status, headers, text } = await ask(post, clock, signal);
    const said = `${where} answered ${status}${text.trim() === '' ? '' : ` (${shortened(text)})`}`;
    if (status >= 200 && status < 300) return { kind: 'delivered', answer: said };
    if (status < 400) return { kind: 'retry', reason: `${said}: redirections are not followed, correct its URL` };
    if (wantsTls(post.url, text)) return { kind: 'retry', reason: `${said}: use https:// in its URL` };
    const isOwn = ![400, 422].includes(status) || (post.isOwn?.(text) ?? true);
    if (REFUSALS.includes(status) && isOwn) return { kind: 'refused', reason: said };
    const after_ms = retryAfterMs(headers['retry-after'], clock.wall());
    return { kind: 'retry', reason: said, ...(after_ms === undefined ? {} : { after_ms }) };
  } catch (error) {
    const why = networkReason(signal.aborted ? signal.reason : error);
    return { kind: 'retry', reason: `${where} gave no answer (${why}): check that it runs, and its URL` };
  }
};
