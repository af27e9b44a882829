import { expect, it } from 'vitest';
import { GRANT_REST_MS } from '../../../controller/runs/dispatcher.ts';
import { Store } from '../../../controller/store/store.ts';
import { ControllerFixture, testPlan, worldSettings } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';

it('a controller that restarts asks for its leases with the same start, and starts nobody else meanwhile', async () => {
  const world = await ControllerFixture.start();
  const [first, second] = [await world.agent('ap-1'), await world.agent('ap-2')];
  const run = world.order('ap-1');
  const waiting = world.order('ap-2');
  const start = await first.begin('nonce-1');
  const { run: next } = await second.next('prepare');
  expect(next).toBe(waiting);

  await world.restart();
  const [back, other] = [await world.comeBack('ap-1'), await world.comeBack('ap-2')];
  expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'leased', device: 'ap-1', run });
  world.clock.advance(1000);
  const again = await back.next('start');
  expect(again).toEqual(start);
  await back.started(again);
  await world.inCharge();
  await other.next('prepare');
  await other.ready(waiting, 'nonce-2');
  world.clock.advance(1500);
  expect(other.commands.some(({ type }) => type === 'start')).toBe(false);

  await back.finished(again);
  expect(await other.next('start')).toMatchObject({ run: waiting });
  world.clock.advance(GRANT_REST_MS);
  await back.result(again, [corpusOutput('v3.12__tcp_up.json')]);
  expect(await world.over(run)).toMatchObject({ outcome: 'success', attempts: 1 });
  expect(world.record(run).measurements).toHaveLength(1);
});

it('a run that was on deck is asked in its turn after a restart, as its start may have been sent', async () => {
  const world = await ControllerFixture.start();
  const [first, second] = [await world.agent('ap-1'), await world.agent('ap-2')];
  world.order('ap-1');
  const waiting = world.order('ap-2');
  const start = await first.begin('nonce-1');
  await second.next('prepare');
  await second.ready(waiting, 'nonce-2');
  await until('the second is ready', () => second.commands.length === 1);
  await first.send({ type: 'started', run: start.run, boot: 'boot-1', token: start.token, nonce: start.nonce });

  await world.restart();
  const [back, other] = [await world.comeBack('ap-1'), await world.comeBack('ap-2')];
  await world.inCharge();
  await back.finished(await back.next('start'));
  const asked = await other.next('start');
  expect(asked).toMatchObject({ run: waiting, nonce: 'nonce-2' });
  // It never began: it says so, and waits for its turn again.
  await other.declined(asked, 'not-prepared: this run is not on deck');
  await until('it waits again', () => world.controller.fleet.runs.progress(waiting)?.phase === 'waiting');
  expect(world.record(waiting).outcome).toBeNull();
});

it('a result whose grant never came to disk, as after a kill right behind the start, is stored once', async () => {
  const settings = worldSettings();
  const store = Store.open(settings.store);
  const now = new ManualClock().wall();
  const about = { run: 'r-killed', device: 'ap-1', tests: [testPlan()] };
  const asked = { requested_at_ms: now, not_before_ms: now, window_end_ms: now + 3_600_000 };
  store.runs.add([{ ...about, ...asked, organization: 'default', server: null, origin: 'demand', night: null }]);
  const lease = {
    ...about,
    server: 's-1',
    endpoint: '127.0.0.1:5201',
    nonce: 'nonce-1',
    boot: 'boot-1',
    lease_ms: 26_000,
  };
  store.leases.save({ ...lease, token: 3, granted: false });
  store.close();

  const world = ControllerFixture.make({ settings });
  await world.start();
  const agent = await world.agent('ap-1');
  await agent.finished({ type: 'start', run: 'r-killed', token: 3, nonce: 'nonce-1', server: null, lease_ms: null });
  await agent.result({ run: 'r-killed', token: 3 }, [corpusOutput('v3.12__tcp_up.json')]);
  await agent.next('accepted');
  await world.inCharge();
  expect(world.record('r-killed')).toMatchObject({ outcome: 'success', attempts: 1, server: 's-1' });
  expect(world.record('r-killed').measurements).toHaveLength(1);
  expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'idle', queued: 0 });
});

it('runs that wait are still there after a restart, and one whose result is awaited is not started again', async () => {
  const world = await ControllerFixture.start({ servers: ['s-1'] });
  const [first] = [await world.agent('ap-1'), await world.agent('ap-2')];
  const run = world.order('ap-1');
  const start = await first.begin('nonce-1');
  await first.finished(start);
  await until('the slot is free', () => world.controller.fleet.servers.list()[0]?.state === 'idle');
  const waiting = world.order('ap-2');
  await world.restart();
  const [back, other] = [await world.comeBack('ap-1'), await world.comeBack('ap-2')];
  await world.inCharge();
  expect((await other.next('prepare')).run).toBe(waiting);
  expect(back.commands).toEqual([]);
  await back.result(start, [corpusOutput('v3.12__tcp_up.json')]);
  expect(await world.over(run)).toMatchObject({ outcome: 'success', attempts: 1 });
});

it('a run over SSH whose result went with the controller that was killed waits again at once, also when it was overdue', async () => {
  const settings = worldSettings({ servers: ['s-1', 's-2'] });
  const store = Store.open(settings.store);
  const now = new ManualClock().wall();
  const asked = { requested_at_ms: now, not_before_ms: now, window_end_ms: now + 3_600_000 };
  const about = { organization: 'default', server: null, origin: 'demand', night: null, tests: [testPlan()] } as const;
  for (const [token, device] of [
    [1, 'ap-1'],
    [2, 'ap-2'],
  ] as const) {
    store.runs.add([{ ...about, ...asked, tests: [testPlan()], run: `r-${device}`, device }]);
    store.runs.noteGrant({ token, run: `r-${device}`, server: 's-1', via: 'ssh', at_ms: now, tests: [testPlan()] });
  }
  store.runs.setOverdue('r-ap-2', now);
  store.close();

  const world = ControllerFixture.make({ settings });
  await world.start();
  const agents = [await world.agent('ap-1'), await world.agent('ap-2')];
  await world.inCharge();
  for (const agent of agents) expect((await agent.next('prepare')).run).toBe(`r-${agent.device}`);
});
