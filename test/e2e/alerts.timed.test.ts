import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { AlertNotice } from '../../controller/alerts/notice.ts';
import type { ExplainedRuleView, ReplayView } from '../../controller/api/alert-views.ts';
import { Endpoint } from '../controller/alerts/endpoint.ts';
import { fleetTest } from '../helpers/fleet-test.ts';
import { freePort } from '../helpers/free-port.ts';
import { ONE_SECOND, type RealFleet } from '../helpers/real-fleet.ts';
import { until } from '../helpers/until.ts';

/* Alerts of a real fleet, told to a real webhook. */

const test = fleetTest();

const OFF_HOURS = { enabled: true, schedule: '0 0 1 1 *', window: '1s', retries: 0, tests: [ONE_SECOND] };

/** A controller whose device may be measured against `s-1`, and against `gone`, where nobody listens. */
const serveWith = async (fleet: RealFleet, endpoint: Endpoint, alerts: object[]) => {
  const servers = fleet.serverSection({ gone: { host: '127.0.0.1', port: await freePort() } });
  const receivers = { noc: { webhook: endpoint.url } };
  await fleet.serve({ servers, default_servers: Object.keys(servers), check: OFF_HOURS, receivers, alerts });
};

const heardBy = ({ heard }: Endpoint): AlertNotice[] => heard.map(({ body }) => JSON.parse(body));

const measure = async (fleet: RealFleet, device: string, server: string) =>
  (await fleet.over(await fleet.order(device, server))).outcome;

test.concurrent('a device that fails is told of once, explained, and told of again when it is well', async ({
  fleet,
  onTestFinished,
}) => {
  const endpoint = await Endpoint.open(null, onTestFinished);
  await serveWith(fleet, endpoint, [
    { name: 'check-failed', for: 2 },
    { name: 'server-down', enabled: false },
  ]);
  await fleet.join('ap-1');
  for (let number = 0; number < 3; number++) expect(await measure(fleet, 'ap-1', 'gone')).toBe('failed');
  await until('it is told that it fires', () => endpoint.heard.length > 0);
  const explained: ExplainedRuleView[] = JSON.parse((await fleet.cli('alerts', 'explain', 'ap-1', '--json')).out);
  const reason = '2 of 2 runs failed, the last one: unreachable';
  expect(explained.find(({ rule }) => rule === 'check-failed')).toMatchObject({
    state: 'firing',
    reason,
    last_values: [{ value: 0 }, { value: 0 }, { value: 0 }],
  });
  expect((await fleet.cli('alerts')).out).toMatch(/firing +warning +device ap-1 +check-failed +2 of 2 runs failed/);
  expect(await measure(fleet, 'ap-1', 's-1')).toBe('success');
  await until('it is told that it is over', () => endpoint.heard.length > 1);
  const [firing, resolved, ...more] = heardBy(endpoint);
  expect(firing).toMatchObject({ state: 'firing', subject: { kind: 'device', name: 'ap-1' }, server: 'gone', reason });
  expect(resolved).toMatchObject({ state: 'resolved', alert: firing?.alert, reason: 'the run succeeded' });
  expect(more).toEqual([]);
  expect((await fleet.cli('alerts')).err).toBe('nothing is pending or firing\n');
  writeFileSync(fleet.path('rule.json'), JSON.stringify({ name: 'thrice', metric: 'run.success', below: 1, for: 3 }));
  const { out, err } = await fleet.cli(
    'alerts',
    'replay',
    '--rule',
    fleet.path('rule.json'),
    '--since',
    '1h',
    '--json',
  );
  expect(err).toBe('');
  const replay: ReplayView = JSON.parse(out);
  expect(replay.alerts).toMatchObject([{ subject: { name: 'ap-1' }, resolved_reason: 'the run succeeded' }]);
});

test.concurrent('a server that two devices fail on is one alert, and none for the devices', async ({
  fleet,
  onTestFinished,
}) => {
  const endpoint = await Endpoint.open(null, onTestFinished);
  await serveWith(fleet, endpoint, [
    { name: 'check-failed', for: 1 },
    { name: 'server-down', for: 2 },
  ]);
  await fleet.join('ap-1', 'ap-2');
  for (const device of ['ap-1', 'ap-2', 'ap-1']) expect(await measure(fleet, device, 'gone')).toBe('failed');
  await until('it is told that the server is down', () => endpoint.heard.length > 0);
  const { out } = await fleet.cli('alerts');
  expect(out).toMatch(/pending .*device ap-1 .*nobody is told, as gone is down/);
  expect(out).toMatch(/firing .*server gone /);
  expect(heardBy(endpoint)).toMatchObject([{ state: 'firing', subject: { kind: 'server', name: 'gone' } }]);
});
