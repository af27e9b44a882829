import { createTransport } from 'nodemailer';
import { z } from 'zod';
import type { Clock } from '../../../broker/clock.ts';
import type { EmailSettings } from '../../config/settings.ts';
import { networkReason, shortened } from '../../short-reason.ts';
import { headline, noticeText } from '../notice-text.ts';
import type { Outcome, Receiver } from './receiver.ts';

/** What is not safe in a Message-ID. */
const inMessageId = (id: string): string => id.replace(/[^A-Za-z0-9_.-]/g, '-');

/** nodemailer's errors: `permanent` says whether the server refused for good; there is none without an answer of the server. */
const SmtpError = z
  .object({ code: z.string().optional(), permanent: z.boolean().default(false) })
  .catch({ permanent: false });

/** Whether what was refused is this mail. Credentials, sender and recipients are those of all mails: people can correct them. */
const isAboutTheMail = (error: unknown): boolean => {
  const { code, permanent } = SmtpError.parse(error);
  return permanent && code === 'EMESSAGE';
};

const transportOf = ({ host, port, security, login, ca }: EmailSettings) =>
  createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(login === null ? {} : { auth: { user: login.username, pass: login.password } }),
    ...(ca === null ? {} : { tls: { ca } }),
    socketCloseTimeout: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

/**
 * Sends each notice as a mail in plain text. Its Message-ID is that of the notice, the same in each repetition; all mails about one
 * alert refer to it, so that programs show them as one thread.
 */
export const email = (settings: EmailSettings, clock: Clock): Receiver => {
  const { host, port, to, from } = settings;
  const transport = transportOf(settings);
  const where = `the mail server at ${host}:${port}`;
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    send: async (notice, signal): Promise<Outcome> => {
      const thread = `<alert.${inMessageId(notice.alert)}@${domain}>`;
      const mail = {
        from,
        to,
        subject: headline(notice),
        text: noticeText(notice),
        date: new Date(clock.wall()),
        messageId: `<${inMessageId(notice.id)}@${domain}>`,
        inReplyTo: thread,
        references: thread,
        // RFC 3834: no answers from those who are on holiday.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Perfleet-Id': inMessageId(notice.id) },
        signal,
      };
      try {
        const { response, rejected } = await transport.sendMail(mail);
        const answer = `${where} answered ${shortened(response)}`;
        if (rejected.length === 0) return { kind: 'delivered', answer };
        return { kind: 'delivered', answer, warning: `${where} refuses ${rejected.join(', ')}` };
      } catch (error) {
        const reason = `${where} did not take it: ${networkReason(signal.aborted ? signal.reason : error)}`;
        return { kind: isAboutTheMail(error) ? 'refused' : 'retry', reason };
      }
    },
    remind: null,
  };
};
