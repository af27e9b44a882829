import { beforeEach, expect, test } from 'vitest';
import { email } from '../../../../controller/alerts/receivers/email.ts';
import type { EmailSettings } from '../../../../controller/config/settings.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { ManualClock } from '../../../helpers/manual-clock.ts';
import { nothingOpen } from '../../../helpers/open-handles.ts';
import { SmtpServer } from '../../../helpers/smtp-server.ts';
import { until } from '../../../helpers/until.ts';
import { notice, patience } from '../notices.ts';
import { IN_PART, mailVia } from '../receiver-settings.ts';

beforeEach(nothingOpen);

const via = (port: number, changes: Partial<EmailSettings> = {}) =>
  email(mailVia(port, { from: 'perfleet@example.org', ...changes }), new ManualClock());

const NOBODY = { to: 'nobody@example.net', permanent: true };
const LATER = { to: 'later@example.net', permanent: false };
const RESOLVED = notice({ id: 'n-2', state: 'resolved', at: '2026-11-22T03:00:00.000Z', reason: '94 Mbit/s is fine' });

test('firing and resolved arrive as two mails of one thread, each with an id of its own', async () => {
  const server = await SmtpServer.start();
  const receiver = via(server.port, { to: ['noc@example.net', 'boss@example.net'] });
  const outcome = await receiver.send(notice(), patience);
  const where = `the mail server at 127.0.0.1:${server.port}`;
  expect(outcome).toEqual({ kind: 'delivered', answer: `${where} answered 250 OK` });
  await receiver.send(RESOLVED, patience);
  const [first, second] = server.mails;
  const thread = '<alert.a-1@example.org>';
  expect(first?.headers).toMatchObject({
    from: 'perfleet@example.org',
    to: 'noc@example.net, boss@example.net',
    subject: '[critical] ap-12: slow-download (acme)',
    'message-id': '<n-1@example.org>',
    references: thread,
    'in-reply-to': thread,
    date: 'Sun, 22 Nov 2026 00:00:00 +0000',
    'auto-submitted': 'auto-generated',
    'x-perfleet-id': 'n-1',
  });
  expect(first?.headers['content-type']).toContain('text/plain');
  expect(first?.text.trim().split('\n')).toEqual([
    '18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs',
    '',
    'state:         firing',
    'device:        ap-12',
    'organization:  acme',
    'server:        milan-1',
    'rule:          slow-download (tcp.download.bits_per_second)',
    'severity:      critical',
    'firing since:  2026-11-22 02:10:31 UTC',
    'run:           r-1',
  ]);
  expect(second?.headers).toMatchObject({
    subject: '[resolved] ap-12: slow-download (acme)',
    'message-id': '<n-2@example.org>',
    references: thread,
  });
  expect(second?.text).toContain('resolved:      2026-11-22 03:00:00 UTC\n');
});

test('an alert about a server names it once, and nothing that is not known', async () => {
  const server = await SmtpServer.start();
  const subject = { kind: 'server', name: 'milan-1' } as const;
  await via(server.port).send(notice({ subject, organization: null, run: null }), patience);
  const [mail] = server.mails;
  expect(mail?.headers['subject']).toBe('[critical] milan-1: slow-download');
  expect(mail?.text.match(/milan-1/g)).toHaveLength(1);
  expect(mail?.text).not.toMatch(/organization|run:|null/);
});

test('nothing in a notice can add a header or a recipient', async () => {
  const server = await SmtpServer.start();
  const evil = 'x\r\nBcc: victim@example.com\r\n\r\n.\r\nQUIT\r\n';
  const outcome = await via(server.port).send(
    notice({
      id: evil,
      alert: evil,
      rule: evil,
      subject: { kind: 'device', name: evil },
      organization: evil,
      reason: evil,
    }),
    patience,
  );
  expect(outcome.kind).toBe('delivered');
  expect(server.mails).toHaveLength(1);
  const { headers = {} } = server.mails[0] ?? {};
  expect(Object.keys(headers)).not.toContain('bcc');
  expect(headers['x-rcptto'] ?? headers['to']).toBe('noc@example.net');
  expect(headers['message-id']).toMatch(/^<[A-Za-z0-9_.-]+@example\.org>$/);
});

test('addresses of which none is taken are tried again, as people can correct them; one of several is named', async () => {
  const server = await SmtpServer.start();
  const where = `the mail server at 127.0.0.1:${server.port}`;
  expect(await via(server.port, { to: ['nobody@example.net'] }).send(notice(), patience)).toMatchObject({
    kind: 'retry',
    reason: expect.stringMatching(`^${where} did not take it: .*550 5.1.1 no such user`),
  });
  expect(await via(server.port, { to: ['later@example.net'] }).send(notice(), patience)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('450 4.2.1 try again later'),
  });
  expect(server.mails).toEqual([]);
  expect(await via(server.port, IN_PART).send(notice(), patience)).toEqual({
    kind: 'in-part',
    answer: `${where} answered 250 OK`,
    missed: [{ ...NOBODY, reason: `${where} refuses nobody@example.net: 550 5.1.1 no such user` }],
  });
  expect(server.mails).toHaveLength(1);
});

test('those who were refused are tried alone, with the same mail; when they are refused again, nobody else waits for it', async () => {
  const server = await SmtpServer.start();
  const receiver = via(server.port, { to: ['noc@example.net', 'first-later@example.net', 'later@example.net'] });
  const first = await receiver.send(notice(), patience);
  expect(first).toMatchObject({
    kind: 'in-part',
    missed: [{ to: 'first-later@example.net', permanent: false }, LATER],
  });
  const again = await receiver.send(notice(), patience, ['first-later@example.net', 'later@example.net']);
  expect(again).toMatchObject({ kind: 'in-part', missed: [LATER] });
  const [one, two] = server.mails.map(({ headers }) => headers);
  expect([one?.['x-rcptto'], two?.['x-rcptto']]).toEqual(['noc@example.net', 'first-later@example.net']);
  expect(two?.['message-id']).toBe(one?.['message-id']);
  expect(two?.['to']).toBe(one?.['to']);
  expect(await receiver.send(notice(), patience, ['later@example.net'])).toMatchObject({
    ...{ kind: 'in-part', answer: expect.stringMatching(/took none of them$/), missed: [LATER] },
  });
  expect(server.mails).toHaveLength(2);
  expect(await receiver.send(notice(), patience, ['who-left@example.net'])).toMatchObject({ kind: 'delivered' });
});

test('a mail that goes to some only and is refused for what it says, or when nobody answers, is as any other', async () => {
  const server = await SmtpServer.start();
  const spam = notice({ reason: 'looks like spam' });
  expect(await via(server.port, IN_PART).send(spam, patience, IN_PART.to)).toMatchObject({ kind: 'refused' });
  expect(await via(await freePort(), IN_PART).send(notice(), patience, IN_PART.to)).toMatchObject({ kind: 'retry' });
});

test('a mail that is refused for what it says is set aside', async () => {
  const server = await SmtpServer.start();
  const outcome = await via(server.port).send(notice({ reason: 'looks like spam' }), patience);
  expect(outcome).toMatchObject({ kind: 'refused', reason: expect.stringContaining('554 5.7.1 spam') });
  expect(server.mails).toEqual([]);
});

test('with STARTTLS it logs in; with a wrong password it tries again, as that is not about the mail', async () => {
  const server = await SmtpServer.start('starttls');
  const login = { from: 'login@example.org', security: 'starttls', ca: server.ca } as const;
  expect(
    await via(server.port, { ...login, login: { username: 'perfleet', password: 'hunter2' } }).send(notice(), patience),
  ).toMatchObject({
    kind: 'delivered',
  });
  expect(server.mails).toHaveLength(1);
  const wrong = await via(server.port, { ...login, login: { username: 'perfleet', password: 'wrong' } }).send(
    notice(),
    patience,
  );
  expect(wrong).toMatchObject({ kind: 'retry', reason: expect.stringContaining('535 5.7.8') });
  expect(JSON.stringify(wrong)).not.toContain('hunter2');
});

test('a certificate that nobody vouches for, or none at all, is an error: nothing is sent in the clear', async () => {
  const server = await SmtpServer.start('starttls');
  expect(await via(server.port, { security: 'starttls' }).send(notice(), patience)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('self-signed certificate'),
  });
  const open = await SmtpServer.start();
  expect(await via(open.port, { security: 'starttls' }).send(notice(), patience)).toMatchObject({ kind: 'retry' });
  expect([...server.mails, ...open.mails]).toEqual([]);
});

test('TLS from the first byte', async () => {
  const server = await SmtpServer.start('tls');
  const outcome = await via(server.port, { security: 'tls', ca: server.ca }).send(notice(), patience);
  expect(outcome).toMatchObject({ kind: 'delivered' });
  expect(server.mails).toHaveLength(1);
});

test('nobody there, and giving up, are tried again', async () => {
  expect(await via(await freePort()).send(notice(), patience)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('ECONNREFUSED'),
  });
  const server = await SmtpServer.start();
  const late = new AbortController();
  const sending = via(server.port).send(notice(), late.signal);
  late.abort(new Error('nothing within 30 s'));
  expect(await sending).toMatchObject({ kind: 'retry', reason: expect.stringContaining('nothing within 30 s') });
  await until('nothing has come', () => server.mails.length === 0);
});
