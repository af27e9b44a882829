import { createTransport } from 'nodemailer';
import { z } from 'zod';
import type { Clock } from '../../../broker/clock.ts';
import type { EmailSettings } from '../../config/settings.ts';
import { networkReason, shortened } from '../../short-reason.ts';
import { headline, noticeText } from '../notice-text.ts';
import type { Missed, Outcome, Receiver } from './receiver.ts';

/** What is not safe in a Message-ID. */
const inMessageId = (id: string): string => id.replace(/[^A-Za-z0-9_.-]/g, '-');

/** nodemailer's errors: `permanent` says whether the server refused for good; there is none without an answer of the server. */
const Refusal = z.object({ recipient: z.string(), response: z.string(), permanent: z.boolean() });
const SmtpError = z
  .object({
    code: z.string().optional(),
    permanent: z.boolean().default(false),
    rejectedErrors: z.array(Refusal).default([]),
  })
  .catch({ permanent: false, rejectedErrors: [] });

/** Whether what was refused is this mail. Credentials, sender and recipients are those of all mails: people can correct them. */
const isAboutTheMail = (error: unknown): boolean => {
  const { code, permanent } = SmtpError.parse(error);
  return permanent && code === 'EMESSAGE';
};

/** Who was refused, as nodemailer tells it with a mail that was taken for others, or for nobody. */
const missedIn = (told: unknown, where: string): Missed[] =>
  SmtpError.parse(told).rejectedErrors.map(({ recipient, response, permanent }) => ({
    ...{ to: recipient, permanent, reason: `${where} refuses ${recipient}: ${shortened(response)}` },
  }));

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
    send: async (notice, signal, left_to = null): Promise<Outcome> => {
      const addresses = left_to === null ? to : to.filter((address) => left_to.includes(address));
      if (addresses.length === 0)
        return { kind: 'delivered', answer: 'its addresses are not in the configuration any more' };
      const thread = `<alert.${inMessageId(notice.alert)}@${domain}>`;
      const mail = {
        from,
        to,
        envelope: { from, to: addresses },
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
        const sent = await transport.sendMail(mail);
        const answer = `${where} answered ${shortened(sent.response)}`;
        const missed = missedIn(sent, where);
        return missed.length === 0 ? { kind: 'delivered', answer } : { kind: 'in-part', answer, missed };
      } catch (error) {
        const missed = missedIn(error, where);
        // Of the others, who have it, nobody must wait until these are corrected.
        if (left_to !== null && missed.length === addresses.length)
          return { kind: 'in-part', answer: `${where} took none of them`, missed };
        const reason = `${where} did not take it: ${networkReason(signal.aborted ? signal.reason : error)}`;
        return { kind: isAboutTheMail(error) ? 'refused' : 'retry', reason };
      }
    },
    remind: null,
  };
};
