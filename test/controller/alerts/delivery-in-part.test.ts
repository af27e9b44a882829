import { expect, test } from 'vitest';
import { SmtpServer } from '../../helpers/smtp-server.ts';
import { until } from '../../helpers/until.ts';
import { messages, setUp } from './deliveries-fixture.ts';
import { Endpoint } from './endpoint.ts';
import { notice, notices } from './notices.ts';
import { alertmanagerAt, IN_PART, mailVia } from './receiver-settings.ts';

const FIVE_MINUTES_MS = 300_000;

/** To whom each mail went, and what it was about. */
const sentBy = (mail: SmtpServer) =>
  mail.mails.map(({ headers }) => [headers['x-rcptto'], headers['x-perfleet-id']]).sort();

test('an address that is refused for good is set aside, and one warning; nobody is mailed twice', async () => {
  const mail = await SmtpServer.start();
  const { add, deliveries, log, status } = setUp({ noc: mailVia(mail.port, IN_PART) });
  add(notices(2));
  deliveries.start();
  await until('all are sent', () => status()?.waiting === 0);
  expect(messages(log)).toEqual(['a receiver took a notice in part']);
  expect(status()).toMatchObject({ set_aside: 2, last_error: null });
  expect(status()?.last_refusal).toMatch(/refuses nobody@example.net: 550 5.1.1 no such user$/);
  expect(sentBy(mail)).toEqual([
    ['noc@example.net', 'n-1'],
    ['noc@example.net', 'n-2'],
  ]);
});

test('an address that is refused for now is tried again alone, and what is behind it does not wait', async () => {
  const mail = await SmtpServer.start();
  const to = ['noc@example.net', 'first-later@example.net'];
  const { add, clock, deliveries, status } = setUp({ noc: mailVia(mail.port, { to }) });
  add(notices(1));
  deliveries.start();
  await until('it waits for one', () => clock.waits.includes(FIVE_MINUTES_MS));
  expect(status()).toMatchObject({
    ...{ waiting: 1, set_aside: 0, last_success_ms: clock.wall() },
    last_error: expect.stringMatching(/refuses first-later@example.net: 450 4.7.1 greylisted$/),
  });
  add([notice({ id: 'n-2' })]);
  await until('the next one is sent', () => mail.mails.length === 2 && status()?.waiting === 1);
  clock.advance(FIVE_MINUTES_MS);
  await until('it is sent to the other', () => status()?.waiting === 0);
  expect(status()).toMatchObject({ set_aside: 0, last_error: null });
  expect(sentBy(mail)).toEqual([
    ['first-later@example.net', 'n-1'],
    ['noc@example.net, first-later@example.net', 'n-2'],
    ['noc@example.net', 'n-1'],
  ]);
});

test('an address that is refused for now again waits on, and that is no success', async () => {
  const mail = await SmtpServer.start();
  const to = ['noc@example.net', 'later@example.net'];
  const { add, clock, deliveries, status } = setUp({ noc: mailVia(mail.port, { to }) });
  add(notices(1));
  deliveries.start();
  const last_success_ms = clock.wall();
  await until('it waits for one', () => clock.waits.includes(FIVE_MINUTES_MS));
  clock.waits.length = 0;
  clock.advance(FIVE_MINUTES_MS);
  await until('it waits again', () => clock.waits.includes(FIVE_MINUTES_MS));
  expect(status()).toMatchObject({ waiting: 1, set_aside: 0, last_success_ms });
  expect(mail.mails).toHaveLength(1);
});

test('by request it is tried at once, and what was set aside too, for whom it was', async () => {
  const mail = await SmtpServer.start();
  const to = [...IN_PART.to, 'first-later@example.net'];
  const { add, clock, deliveries, status } = setUp({ noc: mailVia(mail.port, { to }) });
  add(notices(1));
  deliveries.start();
  await until('it waits for one', () => clock.waits.includes(FIVE_MINUTES_MS));
  expect(status()).toMatchObject({ waiting: 1, set_aside: 1 });
  expect(deliveries.retry('noc')).toBe(2);
  await until('both were tried', () => status()?.waiting === 0 && status()?.set_aside === 1);
  expect(sentBy(mail)).toEqual([
    ['first-later@example.net', 'n-1'],
    ['noc@example.net', 'n-1'],
  ]);
});

test('a receiver that forgets is told what fires instead of what it refused, which may be over', async () => {
  const noc = await Endpoint.open();
  noc.answerWith(400, '"bad"');
  const firing = [notice({ rule: 'fires' })];
  const { add, deliveries, status } = setUp({ noc: alertmanagerAt(noc.url) }, { firing: () => [firing] });
  deliveries.start();
  await until('it was told what fires', () => noc.heard.length === 1);
  add([notice({ alert: 'a-2', rule: 'over' })]);
  await until('it is set aside', () => status()?.set_aside === 1);
  noc.answerWith(200);
  expect(deliveries.retry(null)).toBe(1);
  await until('it is told again', () => noc.heard.length === 3);
  expect(noc.heard.map(({ body }) => JSON.parse(body)[0].labels.alertname)).toEqual(['fires', 'over', 'fires']);
  expect(status()).toMatchObject({ waiting: 0, set_aside: 0 });
});
