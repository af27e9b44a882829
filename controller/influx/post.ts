import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

/** So much of an answer is read. */
const MAX_ANSWER_CHARS = 64 * 1024;

export interface Post {
  url: URL;
  headers: Record<string, string>;
  body: string;
  /** For `https.request`. */
  tls: { ca?: string; rejectUnauthorized?: false };
  /** When to give up. */
  signal: AbortSignal;
}

/** Posts a text and resolves with the answer, whatever its status; rejects when there is none. */
export const post = ({ url, headers, body, tls, signal }: Post): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const options = { method: 'POST', headers, signal };
    const sent = url.protocol === 'https:' ? tlsRequest(url, { ...options, ...tls }) : plainRequest(url, options);
    sent.on('response', (message) => {
      let text = '';
      message.setEncoding('utf8');
      message.on('data', (part: string) => {
        text = (text + part).slice(0, MAX_ANSWER_CHARS);
      });
      message.on('end', () => resolve({ status: Number(message.statusCode), text }));
      message.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
