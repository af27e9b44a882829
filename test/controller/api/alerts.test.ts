import { expect, it } from 'vitest';
import { AlertView, ExplainedRuleView, ReplayView } from '../../../controller/api/alert-views.ts';
import { Problem } from '../../../controller/api/problem.ts';
import { AlertDesk } from '../../../controller/desks/alert-desk.ts';
import { ControllerFixture } from '../../helpers/controller-fixture.ts';
import { AlertFixture } from '../alerts/alert-fixture.ts';
import { download, rule, T0, write } from '../alerts/rules.ts';
import { servedApi } from './served-api.ts';

/** A device that was slow twice. */
const slowDesk = () => {
  const fixture = new AlertFixture([rule()]);
  fixture.write(write(1, [download(1e6)]), write(2, [download(1e6)]));
  const { alerts, settings } = fixture;
  return { fixture, desk: new AlertDesk({ settings: () => settings, alerts, clock: { wall: () => T0 } }) };
};

it('alerts and explained rules are shown with times that people can read', async () => {
  const { desk } = slowDesk();
  const since = '2026-11-22T02:02:30.000Z';
  const firing = { rule: 'slow', state: 'firing', since, firing_since: since, hold: null };
  const { alerts } = await desk.list({ all: false, limit: 9 });
  expect(alerts.map((view) => AlertView.parse(view))).toMatchObject([firing]);
  const explained = desk.explain('ap-1');
  expect(explained.ok && explained.value.map((view) => ExplainedRuleView.parse(view))).toMatchObject([firing]);
  const ok = { state: 'ok', since: null, firing_since: null, last_values: [] };
  expect(desk.explain('ap-2')).toMatchObject({ ok: true, value: [ok] });
  const message = 'there is no device gone; perfleet device list shows all';
  expect(desk.explain('gone')).toEqual({ ok: false, problem: { error: 'not-found', message, problems: [] } });
});

it('a list ends at its limit, and says that there are more', async () => {
  const fixture = new AlertFixture([rule({ breaches: 1, of: 1 }), rule({ name: 'other', breaches: 1, of: 1 })]);
  fixture.write(write(1, [download(1e6)]), write(2, [download(1e6)], { device: 'ap-2' }));
  const { alerts, settings } = fixture;
  const desk = new AlertDesk({ settings: () => settings, alerts, clock: { wall: () => T0 } });
  const listed = async (limit: number) => {
    const list = await desk.list({ all: false, limit });
    return [list.alerts.map(({ rule: name, subject }) => `${subject.name} ${name}`), list.more];
  };
  expect(await listed(3)).toEqual([['ap-1 slow', 'ap-1 other', 'ap-2 slow'], true]);
  expect(await listed(4)).toEqual([['ap-1 slow', 'ap-1 other', 'ap-2 slow', 'ap-2 other'], false]);
});

it('a rule that is to be replayed is refused with all that is wrong with it', async () => {
  const { desk } = slowDesk();
  const tried = (text: string, since = '1d') => desk.replay({ rule: text, since }, () => false);
  expect(await tried('name: slow\nmetric: tcp.download.bits_per_secnd\nbelow: 20M\nabove: 30M\n')).toMatchObject({
    ok: false,
    problem: {
      error: 'bad-request',
      message: 'the rule was refused',
      problems: [
        expect.stringMatching(
          /^line 2, metric: found "tcp.download.bits_per_secnd", expected a metric.*\(did you mean/,
        ),
        expect.stringMatching(/found below and above, expected exactly one of below, above and drop$/),
      ],
    },
  });
  expect(await tried('[1, 2]')).toMatchObject({
    problem: { problems: expect.arrayContaining([expect.stringMatching(/a list of 2 rules/)]) },
  });
  expect(await tried('{')).toMatchObject({ ok: false });
  expect(await tried('[{name: server-down}]', 'once')).toMatchObject({
    problem: { message: expect.stringMatching(/^since:/) },
  });
  expect(await tried('[{name: server-down, for: 2}]')).toMatchObject({
    ok: true,
    value: { rule: 'server-down', alerts: [] },
  });
});

it('a replay goes on one device at a time, until nobody waits for it', async () => {
  const { fixture } = slowDesk();
  const found = {
    subject: { kind: 'device', name: 'ap-1' },
    firing_ms: T0,
    firing_reason: 'slow',
    run: 'r-1',
  } as const;
  let steps = 0;
  const reading = {
    ...{ list: function* () {}, explain: () => null },
    *replay() {
      for (const resolved_ms of [null, T0 + 1]) {
        steps++;
        yield [{ ...found, firing_ms: T0 - steps, resolved_ms, resolved_reason: null }];
      }
    },
  };
  const { settings } = fixture;
  const desk = new AlertDesk({ settings: () => settings, alerts: { reading }, clock: { wall: () => T0 } });
  const order = { rule: '{"name": "a", "metric": "run.success", "below": 1}', since: '2026-11-21T00:00:00Z' };
  const whole = await desk.replay(order, () => false);
  expect(whole.ok && ReplayView.parse(whole.value).alerts.map(({ resolved }) => resolved)).toEqual([
    '2026-11-22T02:00:00.001Z',
    null,
  ]);
  expect(steps).toBe(2);
  await desk.replay(order, () => true);
  expect(steps).toBe(3);
});

it('the routes give what the controller knows', async () => {
  const { call, post, service } = await servedApi();
  const status = async (answer: Promise<Response>) => (await answer).status;
  const list = await call('/api/1/alerts');
  expect([await list.json(), list.headers.get('perfleet-more')]).toEqual([[], 'false']);
  expect(await status(call('/api/1/alerts?limit=0'))).toBe(400);
  expect(await status(call('/api/1/alerts?all=perhaps'))).toBe(400);
  expect(await status(call('/api/1/devices/nobody/alerts'))).toBe(404);
  const answer = await post('/api/1/alerts/replay', { rule: 'name: a', since: '1d' });
  expect([answer.status, Problem.parse(await answer.json()).error]).toEqual([400, 'bad-request']);
  expect(await status(post('/api/1/alerts/replay', { rule: {}, since: '1d' }))).toBe(400);
  expect(service.replayOrders).toHaveLength(1);
});

it('a real controller answers them too', async () => {
  const { controller } = await ControllerFixture.start({ settings: { alerts: [rule()] } });
  const { fleet } = controller;
  expect(fleet.alerts.explain('nobody')).toMatchObject({ ok: false, problem: { error: 'not-found' } });
  fleet.devices.add({ device: 'ap-1', organization: 'default', tags: [], uplink_group: null });
  expect(fleet.alerts.explain('ap-1')).toMatchObject({ ok: true, value: [{ rule: 'slow', state: 'ok' }] });
  const order = { rule: 'name: check-failed', since: '1d' };
  expect(await fleet.alerts.replay(order, () => false)).toMatchObject({ ok: true, value: { alerts: [] } });
});
