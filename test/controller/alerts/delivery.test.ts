import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { Deliveries } from '../../../controller/alerts/deliveries.ts';
import { Alertmanager } from '../../helpers/alertmanager.ts';
import { freePort } from '../../helpers/free-port.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { SmtpServer } from '../../helpers/smtp-server.ts';
import { until } from '../../helpers/until.ts';
import { messages, setUp } from './deliveries-fixture.ts';
import { Endpoint } from './endpoint.ts';
import { notice, notices } from './notices.ts';
import { alertmanagerAt, hook, IN_PART, mailVia, quiet } from './receiver-settings.ts';

test('nothing is sent before start; then what waits, oldest first, and what comes later', async () => {
  const noc = await Endpoint.open();
  const { add, clock, deliveries, status } = setUp({ noc: hook(noc.url) });
  add(notices(3));
  expect(status()).toEqual(quiet({ waiting: 3 }));
  expect(noc.heard).toEqual([]);
  deliveries.start();
  await until('all are sent', () => status()?.waiting === 0);
  add([notice({ id: 'n-4', state: 'resolved' })]);
  await until('all are sent', () => status()?.waiting === 0);
  expect(noc.ids).toEqual(['n-1', 'n-2', 'n-3', 'n-4']);
  expect(status()).toMatchObject({ waiting: 0, last_success_ms: clock.wall() });
});

test('a receiver that is down gets everything when it is back, in order; each pause is longer, and the log has one line', async () => {
  const noc = await Endpoint.open();
  noc.answerWith(503);
  const { add, clock, deliveries, log, status } = setUp({ noc: hook(noc.url) });
  add(notices(2));
  deliveries.start();
  const pauses = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
  for (const [index, pause_ms] of pauses.entries()) {
    await until('it pauses', () => status()?.last_error !== null && clock.waits.at(-1) === pause_ms);
    deliveries.kick();
    expect(noc.heard).toHaveLength(index + 1);
    expect(status()?.last_error).toContain('answered 503');
    clock.waits.length = 0;
    if (index === pauses.length - 1) noc.answerWith(200);
    clock.advance(pause_ms);
  }
  await until('all are sent', () => status()?.waiting === 0);
  expect(noc.ids.slice(-2)).toEqual(['n-1', 'n-2']);
  expect(new Set(noc.ids.slice(0, -1))).toEqual(new Set(['n-1']));
  expect(status()?.last_error).toBeNull();
  expect(messages(log)).toEqual(['notices wait for a receiver, trying again', 'notices reach a receiver again']);
});

test.each([
  ['30', 30_000],
  ['1', 2000],
  ['86400', 600_000],
])('Retry-After: %s is heeded within bounds, and never makes a pause shorter', async (header, pause_ms) => {
  const noc = await Endpoint.open();
  noc.answerWith(503);
  const { add, clock, deliveries } = setUp({ noc: hook(noc.url) });
  add(notices(1));
  deliveries.start();
  await until('it pauses', () => clock.waits.includes(1000));
  noc.answerWith(429, '', { 'retry-after': header });
  clock.advance(1000);
  await until('it pauses', () => clock.waits.includes(pause_ms));
});

test('a notice that is refused is set aside, shown, and those behind it are not held up', async () => {
  const noc = await Endpoint.open();
  noc.answer = (heard, response) => response.writeHead(heard.headers['x-perfleet-id'] === 'n-2' ? 400 : 204).end('bad');
  const { add, deliveries, log, status, store } = setUp({ noc: hook(noc.url) });
  add(notices(3));
  deliveries.start();
  await until('all are gone', () => status()?.waiting === 0);
  expect(noc.ids).toEqual(['n-1', 'n-2', 'n-3']);
  expect(status()).toMatchObject({ set_aside: 1, last_refusal: expect.stringContaining('answered 400 (bad)') });
  expect(store.notices.setAsideOf('noc', 1)[0]?.notice).toBe(JSON.stringify(notice({ id: 'n-2' })));
  expect(messages(log)).toEqual(['a receiver refuses a notice, it was set aside']);
});

test('one that is dead and one that never answers do not delay the others', async () => {
  const silent = await Endpoint.open();
  silent.answer = () => {};
  const good = await Endpoint.open();
  const mail = await SmtpServer.start();
  const { add, clock, deliveries, status } = setUp({
    dead: hook(`http://127.0.0.1:${await freePort()}`),
    silent: hook(silent.url),
    good: hook(good.url),
    mail: mailVia(mail.port, IN_PART),
  });
  add(notices(20));
  deliveries.start();
  await until('the good ones have all', () => status('good')?.waiting === 0 && status('mail')?.waiting === 0);
  expect(mail.mails.map(({ headers }) => headers['x-perfleet-id'])).toEqual(good.ids);
  expect(status('dead')).toMatchObject({ waiting: 20, last_error: expect.stringContaining('ECONNREFUSED') });
  expect(status('silent')).toMatchObject({ waiting: 20, last_error: null });
  clock.advance(10_000);
  await until('it is given up', () => status('silent')?.last_error !== null);
  expect(status('silent')?.last_error).toContain('nothing within 10 s');
});

test('of too many that wait the oldest are dropped, counted and logged', async () => {
  const noc = await Endpoint.open();
  const { clock, deliveries, log, parts, status, store } = setUp({ noc: hook(noc.url) });
  // Another limit than 100,000 would be another test of the store's; what counts here is that somebody asks.
  let beyond = 7;
  store.notices.trim = () => {
    const dropped = beyond;
    beyond = 0;
    return dropped;
  };
  expect(parts.store).toBe(store);
  deliveries.start();
  await until('they are dropped', () => status()?.dropped === 7);
  expect(log.of('warn')).toMatchObject([
    { message: 'too many notices wait for a receiver, the oldest were dropped', fields: { dropped: 7 } },
  ]);
  beyond = 3;
  deliveries.kick();
  clock.advance(60_000);
  deliveries.kick();
  await until('more are dropped', () => status()?.dropped === 10);
});

test('stop gives up what does not end, and the next start goes on with the same id', async () => {
  const noc = await Endpoint.open();
  noc.answer = () => {};
  const { add, clock, deliveries, parts, status } = setUp({ noc: hook(noc.url) });
  add(notices(2));
  deliveries.start();
  await until('it has begun', () => noc.heard.length === 1);
  const stopping = deliveries.stop();
  clock.advance(2000);
  await stopping;
  expect(status()).toMatchObject({ waiting: 2, last_error: 'Error: the controller stops' });
  noc.answerWith(204);
  const next = new Deliveries(new Map([['noc', hook(noc.url)]]), parts);
  onTestFinished(() => next.stop());
  next.start();
  await until('all are sent', () => next.status()[0]?.waiting === 0);
  expect(noc.ids).toEqual(['n-1', 'n-1', 'n-2']);
});

test('a store that fails is told, and tried again', async () => {
  const noc = await Endpoint.open();
  const { clock, deliveries, log, status, store } = setUp({ noc: hook(noc.url) });
  const { next } = store.notices;
  store.notices.next = () => {
    throw new Error('the disk is gone');
  };
  deliveries.start();
  await until('it is logged', () => log.of('warn').length > 0);
  expect(status()?.last_error).toBe('Error: the disk is gone');
  store.notices.next = next;
  store.notices.add(['noc'], notice());
  await until('it pauses', () => clock.waits.includes(1000));
  clock.advance(1000);
  await until('it is sent', () => noc.ids.length === 1);
});

test('new settings count at once, also in a pause; one that is gone loses what waits, a new one begins', async () => {
  const [old, other] = [await Endpoint.open(), await Endpoint.open()];
  const dead = hook(`http://127.0.0.1:${await freePort()}`);
  const { add, clock, deliveries, log, status, store } = setUp({ noc: dead, gone: dead, same: dead });
  add(notices(2));
  deliveries.start();
  await until('they pause', () => clock.waits.filter((ms) => ms === 1000).length === 3);
  clock.waits.length = 0;
  deliveries.configure(
    new Map([
      ['noc', hook(old.url)],
      ['same', dead],
      ['new', hook(other.url)],
    ]),
  );
  await until('it has all', () => status()?.waiting === 0);
  expect(old.ids).toEqual(['n-1', 'n-2']);
  expect(log.lines).toContainEqual({
    level: 'warn',
    fields: { receiver: 'gone', dropped: 2 },
    message: 'a receiver is gone from the configuration: what waited for it is dropped',
  });
  expect(store.notices.counts('gone')).toEqual({ waiting: 0, set_aside: 0 });
  expect(deliveries.status().map(({ receiver }) => receiver)).toEqual(['noc', 'same', 'new']);
  expect(status('same')?.waiting).toBe(2);
  add([notice({ id: 'n-9' })], ['new']);
  await until('the new one has it', () => other.ids.length === 1);
});

test('settings that change during an attempt count for the next one, without a pause', async () => {
  const [slow, good] = [await Endpoint.open(), await Endpoint.open()];
  slow.answer = () => {};
  const { add, clock, deliveries, status } = setUp({ noc: hook(slow.url) });
  add(notices(1));
  deliveries.start();
  await until('it has begun', () => slow.heard.length === 1);
  deliveries.configure(new Map([['noc', hook(good.url)]]));
  clock.advance(10_000);
  await until('the other one has it', () => status()?.waiting === 0);
  expect(good.ids).toEqual(['n-1']);
});

test('before the start a configuration starts nothing', async () => {
  const noc = await Endpoint.open();
  const { add, deliveries } = setUp({});
  deliveries.configure(new Map([['noc', hook(noc.url)]]));
  add(notices(1), ['noc']);
  deliveries.start();
  await until('it is sent', () => noc.ids.length === 1);
});

test('a test goes to one receiver, at once, also when others wait in vain; nobody is a receiver that is not there', async () => {
  const noc = await Endpoint.open();
  noc.answerWith(503);
  const { add, clock, deliveries, status } = setUp({ noc: hook(noc.url) });
  add(notices(1));
  deliveries.start();
  await until('it pauses', () => clock.waits.includes(1000));
  noc.answerWith(204);
  expect(await deliveries.test('noc', 'test-1')).toMatchObject({ kind: 'delivered' });
  expect(JSON.parse(noc.heard.at(-1)?.body ?? '')).toMatchObject({
    id: 'test-1',
    rule: 'perfleet-test',
    severity: 'info',
    reason: 'This is a test of the receiver noc. Nothing is wrong.',
  });
  expect(status()).toMatchObject({ waiting: 1 });
  expect(deliveries.test('nobody', 'test-1')).toBeNull();
});

test('an Alertmanager hears what fires at the start and every minute, so that one that lost everything knows it again', async () => {
  const real = await Alertmanager.start();
  const at = new Date(Date.now() - 1000).toISOString();
  const fires = [notice({ firing_since: at, at })];
  const asked: string[] = [];
  const clock = new (class extends ManualClock {
    override wall(): number {
      return Date.now();
    }
  })();
  const firing = (receiver: string) => {
    asked.push(receiver);
    return [fires];
  };
  const { add, deliveries, status } = setUp({ noc: alertmanagerAt(real.url) }, { firing, clock });
  onTestFinished(() => clock.advance(10_000));
  deliveries.start();
  await until('it knows', async () => (await real.alerts()).length === 1);
  await real.stop('SIGKILL');
  await real.start();
  expect(await real.alerts()).toEqual([]);
  clock.advance(60_000);
  await until('it knows again', async () => (await real.alerts()).length === 1);
  expect(asked).toEqual(['noc', 'noc']);

  fires.length = 0;
  add([notice({ id: 'n-2', state: 'resolved', firing_since: at, at: new Date().toISOString() })]);
  await until('it is over', () => status()?.waiting === 0);
  expect(await real.alerts()).toEqual([]);
});

test('what fires and is refused is logged, and holds up nothing; when nothing can be said, it is tried again', async () => {
  const noc = await Endpoint.open();
  noc.answer = (heard, response) => response.writeHead(heard.body.includes('n-1') ? 400 : 200).end('"bad"');
  const firing = () => [[notice({ rule: 'n-1' })]];
  const { add, clock, deliveries, log, status } = setUp({ noc: alertmanagerAt(noc.url) }, { firing });
  add([notice({ id: 'n-2' })]);
  deliveries.start();
  await until('it is sent', () => status()?.waiting === 0);
  expect(messages(log)).toContain('a receiver refuses what fires');
  noc.answerWith(500);
  clock.advance(60_000);
  await until('it waits', () => status()?.last_error !== null);
  noc.answerWith(200);
  const before = noc.heard.length;
  clock.advance(1000);
  await until('it is said', () => noc.heard.length > before);
  await until('all is well', () => status()?.last_error === null);
});

/** Of each request: how many alerts it had, and the rule of the first. */
const requests = (noc: Endpoint) =>
  noc.heard.map(({ body }) => JSON.parse(body)).map((alerts) => [alerts.length, alerts[0].labels.alertname]);

/** As many that fire, each an alert of its own: `a-f1`, `a-f2`, … */
const manyFiring = (count: number) =>
  Array.from({ length: count }, (_, index) => notice({ alert: `a-f${index + 1}`, rule: `fires-${index + 1}` }));

test('many that fire are said again 500 at a time, and what waits has its turn between them', async () => {
  const noc = await Endpoint.open();
  const { add, deliveries, status } = setUp({ noc: alertmanagerAt(noc.url) }, { firing: () => [manyFiring(1200)] });
  add(['new-1', 'new-2'].map((rule) => notice({ alert: rule, rule })));
  deliveries.start();
  await until('all is said', () => noc.heard.length === 5);
  expect(requests(noc)).toEqual([
    [500, 'fires-1'],
    [1, 'new-1'],
    [500, 'fires-501'],
    [1, 'new-2'],
    [200, 'fires-1001'],
  ]);
  await until('it rests', () => status()?.waiting === 0);
});

test('what fires is read a piece at a time, and anew with new settings', async () => {
  const [noc, other] = [await Endpoint.open(), await Endpoint.open()];
  const pieces = [manyFiring(2), [], manyFiring(1)];
  const { deliveries } = setUp({ noc: alertmanagerAt(noc.url) }, { firing: () => pieces });
  deliveries.start();
  await until('some is said', () => noc.heard.length > 0);
  deliveries.configure(new Map([['noc', alertmanagerAt(other.url)]]));
  await until('it is all said', () => other.heard.length === 2);
  expect(requests(other)).toEqual([
    [2, 'fires-1'],
    [1, 'fires-1'],
  ]);
});

test('after an outage an Alertmanager gets the latest notice of each alert, and a webhook all', async () => {
  const [noc, web] = [await Endpoint.open(), await Endpoint.open()];
  noc.answerWith(503);
  web.answerWith(503);
  const { add, clock, deliveries, log, status } = setUp({ noc: alertmanagerAt(noc.url), web: hook(web.url) });
  deliveries.start();
  const firing = notice({ alert: 'a-1', rule: 'over' });
  add([firing, notice({ alert: 'a-2', rule: 'still' })]);
  await until('they pause', () => clock.waits.filter((ms) => ms === 1000).length === 2);
  add([{ ...firing, id: 'n-3', state: 'resolved' }]);
  noc.heard.length = web.heard.length = 0;
  noc.answerWith(200);
  web.answerWith(200);
  clock.advance(60_000);
  await until('all is said', () => status()?.waiting === 0 && status('web')?.waiting === 0);
  expect(requests(noc)).toEqual([
    [1, 'still'],
    [1, 'over'],
  ]);
  expect(web.heard).toHaveLength(3);
  expect(log.of('debug')).toContainEqual({
    level: 'debug',
    fields: { receiver: 'noc', superseded: 1 },
    message: 'only the latest notice of each alert waits on',
  });
});

test('a batch without an answer is said again after a notice, not those before it; one that ends meanwhile is left out', async () => {
  const noc = await Endpoint.open();
  noc.answer = (heard, response) => response.writeHead(heard.body.includes('fires-501"') ? 503 : 200).end();
  const { add, clock, deliveries, log, status } = setUp(
    { noc: alertmanagerAt(noc.url) },
    { firing: () => [manyFiring(600)] },
  );
  add(['new-1', 'new-2'].map((rule) => notice({ alert: rule, rule })));
  deliveries.start();
  await until('it pauses', () => clock.waits.includes(1000));
  add([notice({ alert: 'a-f501', rule: 'ended', state: 'resolved' })]);
  clock.waits.length = 0;
  clock.advance(1000);
  await until('it pauses again', () => clock.waits.includes(1000));
  expect(messages(log)).toEqual(['notices wait for a receiver, trying again']);
  expect(status()).toMatchObject({ waiting: 1, last_error: expect.stringContaining('503') });
  clock.advance(1000);
  await until('all is said', () => status()?.waiting === 0 && status()?.last_error === null);
  expect(requests(noc)).toEqual([
    [500, 'fires-1'],
    [1, 'new-1'],
    [100, 'fires-501'],
    [1, 'new-2'],
    [100, 'fires-501'],
    [1, 'ended'],
    [99, 'fires-502'],
  ]);
});

test('with the real time a receiver is given up after its limit', async () => {
  const noc = await Endpoint.open();
  const { deliveries } = setUp({ noc: hook(noc.url) }, { clock: systemClock });
  expect(await deliveries.test('noc', 'test-1')).toMatchObject({ kind: 'delivered' });
});
