import type { DeliveryStatus } from '../../../controller/alerts/delivery-status.ts';
import type { ReceiverView } from '../../../controller/api/receiver-views.ts';
import type { EmailSettings, ReceiverSettings } from '../../../controller/config/settings.ts';

/** A webhook without a signature. */
export const hook = (url: string): ReceiverSettings => ({ kind: 'webhook', url, secret: null, ca: null });

/** Mail through a server on this machine, in the clear, as a test has it. */
export const mailVia = (port: number, changes: Partial<EmailSettings> = {}): EmailSettings => ({
  kind: 'email',
  to: ['noc@example.net'],
  from: 'perfleet@example.net',
  host: '127.0.0.1',
  port,
  security: 'none',
  login: null,
  ca: null,
  ...changes,
});

/** One to whom it goes, and one whom the server does not know. */
export const IN_PART = { to: ['noc@example.net', 'nobody@example.net'] };

export const alertmanagerAt = (url: string): ReceiverSettings => ({
  kind: 'alertmanager',
  url,
  login: null,
  token: null,
  ca: null,
});

/** Of a webhook that nothing waits for and nothing was said to, but what `changes` say. */
export const quiet = (changes: Partial<DeliveryStatus> = {}): DeliveryStatus => ({
  receiver: 'noc',
  kind: 'webhook',
  waiting: 0,
  set_aside: 0,
  dropped: 0,
  last_error: null,
  last_refusal: null,
  last_success_ms: null,
  ...changes,
});

/** The same as the HTTP API shows it. */
export const quietView = (changes: Partial<ReceiverView> = {}): ReceiverView => {
  const { last_success_ms: _, ...status } = quiet();
  return { ...status, last_success: null, ...changes };
};
