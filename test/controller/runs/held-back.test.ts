import { describe, expect, it } from 'vitest';
import { plainServer } from '../../../controller/config/servers-section.ts';
import type { ServerSettings } from '../../../controller/config/settings.ts';
import type { SuppressionScope } from '../../../controller/schedule/suppression.ts';
import { ControllerFixture, testPlan } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import type { ScriptedAgent } from '../../helpers/scripted-agent.ts';
import { until } from '../../helpers/until.ts';

/* What keeps a run from its slot, from the word of a person or the configuration to the record of the run. */

const HOUR_MS = 3_600_000;
const GOOD = 'v3.12__tcp_up.json';
/** What GOOD has moved. */
const GOOD_BYTES = 4_596_695_040;

/** The manual clock begins at midnight UTC: a night from 2 to 3. */
const NIGHTLY = { enabled: true, schedule: '0 2 * * *', timezone: 'UTC', window_ms: HOUR_MS };

const moveTo = (world: ControllerFixture, at_ms: number): void => {
  while (world.clock.now() < at_ms) world.clock.advance(Math.min(30_000, at_ms - world.clock.now()));
};

const suppress = (world: ControllerFixture, what: SuppressionScope, until_ms: number | null = null) =>
  world.controller.fleet.suppressions.suppress({ what, until_ms, reason: null, stop_running: false });

const only = (world: ControllerFixture) => {
  const records = world.controller.fleet.runs.records({});
  expect(records).toHaveLength(1);
  return records[0];
};

const state = (world: ControllerFixture, index = 0) => world.controller.fleet.servers.list()[index]?.state;

/** Takes the next run through to its result. */
const measured = async (agent: ScriptedAgent, nonce: string, file = GOOD) => {
  const start = await agent.begin(nonce);
  await agent.result(start, [corpusOutput(file)]);
  await agent.next('accepted');
  return start.run;
};

const serverWith = (changes: Partial<ServerSettings>) => ({
  servers: new Map([['s-1', { ...plainServer('s-1', '127.0.0.1', 5201), ...changes }]]),
});

describe('while the fleet is suppressed', () => {
  it('a night waits, and is measured when the suppression ends inside the window', async () => {
    const world = await ControllerFixture.start({ check: NIGHTLY });
    const agent = await world.agent('ap-1');
    suppress(world, { scope: 'fleet' }, world.clock.wall() - world.clock.now() + 2.5 * HOUR_MS);
    expect(state(world)).toBe('suppressed');
    moveTo(world, 2.5 * HOUR_MS - 1);
    expect(agent.commands).toEqual([]);
    expect(only(world)?.outcome).toBeNull();
    world.clock.advance(1);
    await measured(agent, 'nonce-1');
    expect(only(world)).toMatchObject({ outcome: 'success', attempts: 1 });
  });

  it('a night that is over before it ends is skipped, also after a restart', async () => {
    const world = await ControllerFixture.start({ check: NIGHTLY });
    await world.agent('ap-1');
    suppress(world, { scope: 'tag', name: 'lte' });
    suppress(world, { scope: 'fleet' });
    moveTo(world, 2.5 * HOUR_MS);
    await world.restart();
    await world.inCharge();
    const agent = await world.comeBack('ap-1', 'boot-2');
    moveTo(world, 3 * HOUR_MS);
    expect(only(world)).toMatchObject({ outcome: 'skipped', reason: 'suppressed', attempts: 0 });
    expect(agent.commands).toEqual([]);
  });

  it('a run that a person asks for is answered at once', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    suppress(world, { scope: 'organization', name: 'default' });
    const run = world.order('ap-1');
    expect(world.record(run)).toMatchObject({ outcome: 'skipped', reason: 'suppressed', server: null });
    world.controller.fleet.suppressions.resume({ all: true });
    world.order('ap-1');
    await agent.next('prepare');
  });

  it('who is on deck is taken off it, and goes on deck again when it is over', async () => {
    const world = await ControllerFixture.start({ check: NIGHTLY });
    const agent = await world.agent('ap-1');
    moveTo(world, 2 * HOUR_MS);
    const { run } = await agent.next('prepare');
    suppress(world, { scope: 'device', name: 'ap-1' });
    expect(await agent.next('cancel')).toMatchObject({ run, reason: 'suppressed' });
    expect(only(world)?.outcome).toBeNull();
    world.controller.fleet.suppressions.resume({ all: true });
    expect(await measured(agent, 'nonce-1')).toBe(run);
  });
});

it('a server that is suppressed is left alone, and the runs take another one', async () => {
  const world = await ControllerFixture.start({ servers: ['s-1', 's-2'] });
  const agent = await world.agent('ap-1');
  suppress(world, { scope: 'server', name: 's-1' });
  expect([state(world, 0), state(world, 1)]).toEqual(['suppressed', 'idle']);
  const run = world.order('ap-1');
  expect(await agent.next('prepare')).toMatchObject({ run, server: { port: 5202 } });
  await world.agent('ap-2');
  expect(world.record(world.order('ap-2', 's-1'))).toMatchObject({ outcome: 'skipped', reason: 'suppressed' });
});

describe('a device over its limits', () => {
  it('is skipped without being asked when its budget of the month does not admit another run', async () => {
    const world = await ControllerFixture.start({ check: { monthly_budget: 2 * GOOD_BYTES - 1 } });
    const agent = await world.agent('ap-1');
    world.order('ap-1');
    await measured(agent, 'nonce-1');
    expect(world.controller.fleet.devices.get('ap-1')).toMatchObject({
      value: { moved_this_month: GOOD_BYTES, monthly_budget: 2 * GOOD_BYTES - 1 },
    });
    const run = world.order('ap-1');
    expect(await world.over(run)).toMatchObject({ outcome: 'skipped', reason: 'over-budget', attempts: 0 });
    expect(agent.commands.filter(({ type }) => type === 'prepare')).toHaveLength(1);
    expect(state(world)).toBe('idle');
    expect(world.log.lines).toContainEqual({
      level: 'warn',
      message: 'run skipped',
      fields: { run, reason: 'over-budget' },
    });
  });

  it('makes room for the next one, also while somebody else measures', async () => {
    const world = await ControllerFixture.start({ check: { monthly_budget: GOOD_BYTES } });
    const [first, second] = [await world.agent('ap-1'), await world.agent('ap-2')];
    world.order('ap-1');
    const start = await first.begin('nonce-1');
    await first.result(start, [corpusOutput(GOOD)]);
    await first.next('accepted');
    const over = [world.order('ap-1'), world.order('ap-1')];
    world.order('ap-2');
    await second.begin('nonce-2');
    for (const run of over) expect(await world.over(run)).toMatchObject({ reason: 'over-budget' });
  });

  it('has its nightly run skipped when it had its runs of the day, one record for each', async () => {
    const world = await ControllerFixture.start({ check: { ...NIGHTLY, schedule: '0 * * * *', max_runs_per_day: 1 } });
    const agent = await world.agent('ap-1');
    moveTo(world, HOUR_MS);
    await measured(agent, 'nonce-1');
    moveTo(world, 2 * HOUR_MS);
    await until('the second run is over', () => world.controller.fleet.status().runs_open === 0);
    const records = world.controller.fleet.runs.records({}).map(({ outcome, reason }) => [outcome, reason]);
    expect(records).toEqual(
      expect.arrayContaining([
        ['success', null],
        ['skipped', 'daily-limit'],
      ]),
    );
    const run = world.order('ap-1');
    expect(await measured(agent, 'nonce-2')).toBe(run);
  });
});

describe('maintenance of a server', () => {
  const maintenance = [{ schedule: '0 2 * * *', timezone: 'UTC', duration_ms: HOUR_MS / 2 }];

  it('is waited for', async () => {
    const world = await ControllerFixture.start({ check: NIGHTLY, settings: serverWith({ maintenance }) });
    const agent = await world.agent('ap-1');
    moveTo(world, 2 * HOUR_MS);
    expect(state(world)).toBe('maintenance');
    moveTo(world, 2.5 * HOUR_MS - 1);
    expect(agent.commands).toEqual([]);
    world.clock.advance(1);
    expect(state(world)).toBe('idle');
    await measured(agent, 'nonce-1');
    expect(only(world)).toMatchObject({ outcome: 'success' });
  });

  it('of all servers and for the whole window is why a run was missed', async () => {
    const [whole] = maintenance.map((window) => ({ ...window, duration_ms: HOUR_MS }));
    const world = await ControllerFixture.start({
      check: { ...NIGHTLY, window_ms: HOUR_MS / 2 },
      settings: serverWith({ maintenance: whole === undefined ? [] : [whole] }),
    });
    await world.agent('ap-1');
    moveTo(world, 2.5 * HOUR_MS);
    expect(only(world)).toMatchObject({ outcome: 'missed', reason: 'server-maintenance' });
  });

  it('that a reload brings holds at once', async () => {
    const world = await ControllerFixture.start({ settings: serverWith({}) });
    moveTo(world, 2.25 * HOUR_MS);
    const agent = await world.agent('ap-1');
    world.controller.reload({ ...world.settings, ...serverWith({ maintenance }) });
    expect(state(world)).toBe('maintenance');
    world.order('ap-1');
    expect(agent.commands).toEqual([]);
    world.controller.reload({ ...world.settings, ...serverWith({}) });
    await agent.next('prepare');
  });
});

it('a server with max_bitrate gets no more, and the record says so', async () => {
  const world = await ControllerFixture.start({ settings: serverWith({ max_bitrate: 100e6 }) });
  const agent = await world.agent('ap-1');
  const run = world.order('ap-1');
  expect(await agent.next('prepare')).toMatchObject({ tests: [testPlan({ bitrate: 100e6 })] });
  await agent.ready(run, 'nonce-1');
  const start = await agent.next('start');
  await agent.result(start, [corpusOutput(GOOD)]);
  await agent.next('accepted');
  expect(world.record(run).warnings).toEqual(['tcp-upload: limited to 100 Mbit/s, the max_bitrate of server s-1']);
});

it('a server that tests somebody else is shown as busy elsewhere until a result says otherwise', async () => {
  const world = await ControllerFixture.start({ servers: ['s-1', 's-2'] });
  const agent = await world.agent('ap-1');
  const run = world.order('ap-1', 's-1');
  await measured(agent, 'nonce-1', 'v3.12__err_busy.json');
  expect([state(world, 0), state(world, 1)]).toEqual(['busy-elsewhere', 'idle']);
  expect(world.record(run)).toMatchObject({ outcome: null, measurements: [] });
  let again = '';
  void measured(agent, 'nonce-2').then((id) => {
    again = id;
  });
  await until('it is measured', () => {
    if (again === '') world.clock.advance(100);
    return again;
  });
  expect(again).toBe(run);
  expect(state(world)).toBe('idle');
  expect(world.record(run)).toMatchObject({ outcome: 'success', attempts: 2 });
  expect(world.record(run).measurements.every(({ bits_per_second }) => bits_per_second > 0)).toBe(true);
});
