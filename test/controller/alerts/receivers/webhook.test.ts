import { createHmac } from 'node:crypto';
import { beforeEach, expect, test, vi } from 'vitest';
import { webhook } from '../../../../controller/alerts/receivers/webhook.ts';
import type { WebhookSettings } from '../../../../controller/config/settings.ts';
import { makeCertificate } from '../../../helpers/certificates.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { ManualClock } from '../../../helpers/manual-clock.ts';
import { nothingOpen } from '../../../helpers/open-handles.ts';
import { until } from '../../../helpers/until.ts';
import { Endpoint } from '../endpoint.ts';
import { notice, patience } from '../notices.ts';

beforeEach(nothingOpen);

const to = (url: string, changes: Partial<WebhookSettings> = {}, clock = new ManualClock()) =>
  webhook({ kind: 'webhook', url, secret: null, ca: null, ...changes }, clock);

test('a notice is posted as it is, with its id, the time and a signature over both time and body', async () => {
  const endpoint = await Endpoint.open();
  const reason = 'über 30 ms';
  const outcome = await to(endpoint.url, { secret: 'hunter2' }).send(notice({ reason }), patience);
  expect(outcome).toEqual({ kind: 'delivered', answer: `the webhook at ${new URL(endpoint.url).origin} answered 204` });
  const [heard] = endpoint.heard;
  if (heard === undefined) expect.fail('nothing came');
  expect(heard.path).toBe('/hook?to=noc');
  expect(JSON.parse(heard.body)).toEqual(notice({ reason }));
  const timestamp = String(Date.UTC(2026, 10, 22) / 1000);
  const expected = createHmac('sha256', 'hunter2').update(`${timestamp}.${heard.body}`).digest('hex');
  expect(heard.headers).toMatchObject({
    'content-type': 'application/json',
    'x-perfleet-id': 'n-1',
    'x-perfleet-timestamp': timestamp,
    'x-perfleet-signature': `sha256=${expected}`,
  });
});

test('without a secret there is no signature', async () => {
  const endpoint = await Endpoint.open();
  await to(endpoint.url).send(notice(), patience);
  expect(endpoint.heard[0]?.headers).not.toHaveProperty('x-perfleet-signature');
});

test.each([
  [200, 'delivered'],
  [299, 'delivered'],
  [301, 'retry'],
  [400, 'refused'],
  [401, 'retry'],
  [403, 'retry'],
  [404, 'retry'],
  [405, 'retry'],
  [408, 'retry'],
  [413, 'refused'],
  [415, 'refused'],
  [422, 'refused'],
  [425, 'retry'],
  [429, 'retry'],
  [500, 'retry'],
  [503, 'retry'],
])('an answer of %i is taken as %s', async (status, kind) => {
  const endpoint = await Endpoint.open();
  endpoint.answerWith(status, '', { location: `${endpoint.url}&again` });
  expect(await to(endpoint.url).send(notice(), patience)).toMatchObject({ kind });
  expect(endpoint.heard).toHaveLength(1);
});

test('a 400 because the port is one for TLS refuses no notice: it waits for https:// in the URL', async () => {
  const endpoint = await Endpoint.open();
  endpoint.answerWith(400, 'Client sent an HTTP request to an HTTPS server.\n');
  const outcome = await to(endpoint.url).send(notice(), patience);
  expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining('use https:// in its URL') });
});

test('what is said of a failure has no path in it, which may be a secret, and nothing that could steer a terminal', async () => {
  const endpoint = await Endpoint.open();
  endpoint.answerWith(403, 'no\x1b[31m\n  such token');
  const reason = `the webhook at ${new URL(endpoint.url).origin} answered 403 (no [31m such token)`;
  expect(await to(endpoint.url).send(notice(), patience)).toEqual({ kind: 'retry', reason });
});

test.each([
  ['120', 120_000],
  [new Date(Date.UTC(2026, 10, 22) + 90_000).toUTCString(), 90_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', undefined],
  ['soon', undefined],
])('Retry-After: %s', async (header, after_ms) => {
  const endpoint = await Endpoint.open();
  endpoint.answerWith(429, '', { 'retry-after': header });
  const outcome = await to(endpoint.url).send(notice(), patience);
  expect('after_ms' in outcome ? outcome.after_ms : undefined).toBe(after_ms);
});

test('an answer without end is not read to its end', async () => {
  const endpoint = await Endpoint.open();
  endpoint.answer = (_heard, response) => {
    response.writeHead(500);
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    };
    response.on('drain', more);
    more();
  };
  const outcome = await to(endpoint.url).send(notice(), patience);
  expect(outcome.kind).toBe('retry');
  expect(JSON.stringify(outcome).length).toBeLessThan(700);
});

test.each([
  [200, 'delivered'],
  [400, 'refused'],
])('an answer of %i whose body does not end is %s after half a second', async (status, kind) => {
  const endpoint = await Endpoint.open();
  endpoint.answer = (_heard, response) => response.writeHead(status).write('I think');
  const clock = new ManualClock();
  const reading = vi.spyOn(clock, 'after');
  const sending = to(endpoint.url, {}, clock).send(notice(), patience);
  await until('it reads the answer', () => reading.mock.calls.length === 1);
  clock.advance(500);
  expect(await sending).toMatchObject({ kind });
});

test('an answer that breaks off counts by its status', async () => {
  const endpoint = await Endpoint.open();
  endpoint.answer = (_heard, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('half');
    response.socket?.end();
  };
  expect(await to(endpoint.url).send(notice(), patience)).toMatchObject({ kind: 'delivered' });
});

test('nobody there, and one who never answers, are tried again', async () => {
  const nobody = await to(`http://127.0.0.1:${await freePort()}/secret`).send(notice(), patience);
  expect(nobody).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/gave no answer \(.*ECONNREFUSED/) });
  expect(JSON.stringify(nobody)).not.toContain('/secret');
  const endpoint = await Endpoint.open();
  const late = new AbortController();
  endpoint.answer = () => late.abort(new Error('nothing within 10 s'));
  expect(await to(endpoint.url).send(notice(), late.signal)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('gave no answer (Error: nothing within 10 s)'),
  });
});

test('over TLS the certificate is checked, against an authority of its own if there is one', async () => {
  const { cert, key } = makeCertificate();
  const endpoint = await Endpoint.open({ cert, key });
  expect(await to(endpoint.url).send(notice(), patience)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('self-signed certificate'),
  });
  expect(await to(endpoint.url, { ca: cert }).send(notice(), patience)).toMatchObject({ kind: 'delivered' });
  expect(endpoint.ids).toEqual(['n-1']);
});
