import { beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../../broker/clock.ts';
import { alertmanager } from '../../../../controller/alerts/receivers/alertmanager.ts';
import type { AlertmanagerSettings } from '../../../../controller/config/settings.ts';
import { Alertmanager } from '../../../helpers/alertmanager.ts';
import { JumpingClock } from '../../../helpers/jumping-clock.ts';
import { nothingOpen } from '../../../helpers/open-handles.ts';
import { until } from '../../../helpers/until.ts';
import { Endpoint } from '../endpoint.ts';
import { notice, patience } from '../notices.ts';

beforeEach(nothingOpen);

const to = (url: string, changes: Partial<AlertmanagerSettings> = {}, clock = systemClock) =>
  alertmanager({ kind: 'alertmanager', url, login: null, token: null, ca: null, ...changes }, clock);

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

test('a real Alertmanager shows one alert for all repetitions, passes it on, and ends it when it is resolved', async () => {
  const hook = await Endpoint.open();
  const real = await Alertmanager.start(hook.url);
  const receiver = to(`${real.url}/`);
  const firing = notice({ firing_since: ago(60_000), at: ago(60_000) });
  expect(await receiver.send(firing, patience)).toMatchObject({ kind: 'delivered' });
  const later = { ...firing, server: 'milan-2', value: 17_000_000 };
  expect(await receiver.remind?.([later], patience)).toMatchObject({ kind: 'delivered' });
  const shown = await real.alerts();
  expect(shown).toMatchObject([
    {
      labels: {
        alertname: 'slow-download',
        job: 'perfleet',
        severity: 'critical',
        metric: 'tcp.download.bits_per_second',
        device: 'ap-12',
        organization: 'acme',
      },
      annotations: {
        summary: '[critical] ap-12: slow-download (acme)',
        description: '18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs',
        server: 'milan-2',
        value: '17000000',
        run: 'r-1',
      },
      startsAt: firing.firing_since,
      status: { state: 'active' },
    },
  ]);
  expect(Date.parse(shown[0]?.endsAt ?? '')).toBeGreaterThan(Date.now() + 4 * 60_000);
  await until('it passes the alert on', () => hook.heard.some(({ body }) => body.includes('"status":"firing"')));

  const end = notice({ id: 'n-2', state: 'resolved', firing_since: firing.firing_since, at: ago(1000), value: null });
  expect(await receiver.send(end, patience)).toMatchObject({ kind: 'delivered' });
  expect(await real.alerts()).toEqual([]);
  await until('it passes the end on', () => hook.heard.some(({ body }) => body.includes('"status":"resolved"')));
});

test('an alert about a server has the server as a label, and no device', async () => {
  const real = await Alertmanager.start();
  const subject = { kind: 'server', name: 'milan-1' } as const;
  const at = ago(1000);
  const down = notice({ rule: 'server-down', subject, organization: null, run: null, at, firing_since: at });
  await to(real.url).send(down, patience);
  const [shown] = await real.alerts();
  const { labels = {}, annotations = {} } = shown ?? {};
  expect(Object.keys(labels).toSorted()).toEqual(['alertname', 'job', 'metric', 'server', 'severity']);
  expect(labels['server']).toBe('milan-1');
  expect(Object.keys(annotations).toSorted()).toEqual(['description', 'summary', 'value']);
});

test('a clock that was set back ends no alert before it began: Alertmanager would refuse it', async () => {
  const real = await Alertmanager.start();
  const clock = new JumpingClock();
  clock.jump(-86_400_000);
  const outcome = await to(real.url, {}, clock).send(notice({ firing_since: '2026-11-22T02:00:00.000Z' }), patience);
  expect(outcome).toMatchObject({ kind: 'delivered' });
});

test('with a wrong path it is tried again, and the reason says what came back', async () => {
  const real = await Alertmanager.start();
  const outcome = await to(`${real.url}/nowhere`).send(notice(), patience);
  expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining('answered 404') });
});

test('a real Alertmanager refuses an alert that it cannot take', async () => {
  const real = await Alertmanager.start();
  const outcome = await to(real.url).send(notice({ firing_since: '2026-11-22 02:00' }), patience);
  expect(outcome).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/answered 4\d\d \(["{]/) });
});

test.each([
  ['Client sent an HTTP request to an HTTPS server.\n', 'use https:// in its URL'],
  ['<html>Bad Request</html>', 'answered 400'],
  ['', 'answered 400'],
])('a 400 that says %j is not about the alert', async (body, words) => {
  const endpoint = await Endpoint.open();
  endpoint.answerWith(400, body);
  const outcome = await to(endpoint.url).send(notice(), patience);
  expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining(words) });
});

test('it shows who it is: with user and password, a token, or not at all', async () => {
  const endpoint = await Endpoint.open();
  const asked = async (changes: Partial<AlertmanagerSettings>) => {
    await to(endpoint.url, changes).send(notice(), patience);
    return endpoint.heard.at(-1)?.headers.authorization;
  };
  expect(await asked({})).toBeUndefined();
  expect(await asked({ login: { username: 'perfleet', password: 'hunter2' } })).toBe(
    `Basic ${btoa('perfleet:hunter2')}`,
  );
  expect(await asked({ token: 'hunter2' })).toBe('Bearer hunter2');
});
