import { createHmac } from 'node:crypto';
import type { Clock } from '../../../broker/clock.ts';
import type { WebhookSettings } from '../../config/settings.ts';
import { httpPost } from './http-post.ts';
import type { Receiver } from './receiver.ts';

/** Hexadecimal HMAC-SHA256 of `timestamp.body`: the time is part of it, so that an old message cannot be sent again. */
export const signature = (secret: string, timestamp: string, body: string): string =>
  createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');

/** Posts each notice as JSON, as it is. */
export const webhook = ({ url, secret, ca }: WebhookSettings, clock: Clock): Receiver => ({
  send: (notice, signal) => {
    const body = JSON.stringify(notice);
    const timestamp = String(Math.floor(clock.wall() / 1000));
    const signed = secret === null ? {} : { 'x-perfleet-signature': `sha256=${signature(secret, timestamp, body)}` };
    const headers = { 'x-perfleet-id': notice.id, 'x-perfleet-timestamp': timestamp, ...signed };
    return httpPost({ url, headers, body, ca, what: 'the webhook' }, clock, signal);
  },
  remind: null,
});
