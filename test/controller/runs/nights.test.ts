import { describe, expect, it } from 'vitest';
import { plainServer } from '../../../controller/config/servers-section.ts';
import { ControllerFixture, testPlan } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { until } from '../../helpers/until.ts';

/** The manual clock begins at midnight UTC. */
const HOUR_MS = 3_600_000;
const NIGHTLY = { enabled: true, schedule: '0 2 * * *', timezone: 'UTC', window_ms: HOUR_MS };

/** Moves to the moment in steps, as a clock does. */
const moveTo = (world: ControllerFixture, at_ms: number): void => {
  while (world.clock.now() < at_ms) world.clock.advance(Math.min(60_000, at_ms - world.clock.now()));
};

describe('the nightly schedule', () => {
  it('measures every device of an enabled organization once, and goes on the night after', async () => {
    const world = await ControllerFixture.start({ servers: ['s-1', 's-2'], check: NIGHTLY });
    const agents = [await world.agent('ap-1'), await world.agent('ap-2')];
    moveTo(world, 2 * HOUR_MS - 1);
    expect(world.controller.fleet.runs.records({})).toEqual([]);
    for (const night of [1, 2]) {
      moveTo(world, (24 * (night - 1) + 2) * HOUR_MS);
      for (const agent of agents) {
        const start = await agent.begin(`nonce-${night}`);
        await agent.result(start, [corpusOutput('v3.12__tcp_up.json')]);
        await agent.next('accepted');
      }
      expect(world.controller.fleet.runs.records({}).map(({ outcome }) => outcome)).toEqual(
        Array(2 * night).fill('success'),
      );
    }
  });

  it('is off unless it is enabled', async () => {
    const world = await ControllerFixture.start({ check: { ...NIGHTLY, enabled: false } });
    await world.agent('ap-1');
    moveTo(world, 3 * HOUR_MS);
    expect(world.controller.fleet.runs.records({})).toEqual([]);
  });

  it('gives an offline device a minute to come back, then skips it for the night', async () => {
    const world = await ControllerFixture.start({ check: NIGHTLY });
    const agent = await world.agent('ap-1');
    await agent.online(false);
    await until('ap-1 is offline', () => world.controller.fleet.status().devices_online === 0);
    moveTo(world, 2 * HOUR_MS + 59_000);
    expect(world.controller.fleet.runs.records({})[0]?.outcome).toBeNull();
    moveTo(world, 2 * HOUR_MS + 60_000);
    expect(world.controller.fleet.runs.records({})[0]).toMatchObject({ outcome: 'skipped', reason: 'device-offline' });
  });

  it('misses a run whose server stayed busy until the window closed, and stores no zero for it', async () => {
    const world = await ControllerFixture.start({ check: { ...NIGHTLY, window_ms: 30_000 } });
    const agent = await world.agent('ap-1');
    moveTo(world, 2 * HOUR_MS);
    for (const [index, wait_ms] of [5000, 10_000, 20_000].entries()) {
      const start = await agent.begin(`nonce-${index}`);
      await agent.result(start, [corpusOutput('v3.12__err_busy.json')]);
      await agent.next('accepted');
      world.clock.advance(wait_ms);
    }
    const [record] = world.controller.fleet.runs.records({});
    expect(record).toMatchObject({ outcome: 'missed', reason: 'server-busy', attempts: 3, measurements: [] });
  });

  it('reports a night for which no controller was there as missed, and does not run it late', async () => {
    const world = await ControllerFixture.start({ check: NIGHTLY });
    await world.agent('ap-1');
    moveTo(world, 2 * HOUR_MS);
    await until('the first night is planned', () => world.controller.fleet.runs.records({}).length === 1);
    await world.controller.stop();
    world.clock.advance(30 * HOUR_MS);
    await world.restart();
    const records = world.controller.fleet.runs.records({});
    expect(records).toHaveLength(2);
    expect(records.map(({ reason }) => reason)).toContain('controller-was-down');
  });
});

describe('a device with tags', () => {
  it('is measured with the tests of its own check, by schedule and on demand', async () => {
    const world = await ControllerFixture.start({ check: NIGHTLY });
    const { settings } = world;
    const organization = settings.organizations.get('default');
    if (organization === undefined) throw new Error('no organization');
    const tests = [testPlan({ test: 'short', duration_s: 1 })];
    const tags = [{ tag: 'lte', check: { tests, schedule: '0 3 * * *', max_cross_traffic: 2e6 } }];
    world.controller.reload({ ...settings, organizations: new Map([['default', { ...organization, tags }]]) });
    const agent = await world.agent('ap-1', { tags: ['lte'] });
    moveTo(world, 2 * HOUR_MS);
    expect(world.controller.fleet.runs.records({})).toEqual([]);
    const run = world.order('ap-1');
    expect(await agent.next('prepare')).toMatchObject({ run, tests, max_cross_traffic: 2e6 });
    expect(world.controller.fleet.runs.cancel(run)).toMatchObject({ ok: true });
    moveTo(world, 3 * HOUR_MS);
    expect(await agent.next('prepare')).toMatchObject({ tests, max_cross_traffic: 2e6 });
  });
});

describe('a reload', () => {
  it('takes new organizations, servers and schedules into force, and says what needs a restart', async () => {
    const world = await ControllerFixture.start({ check: NIGHTLY });
    await world.agent('ap-1');
    const { settings } = world;
    const server = plainServer('s-9', '127.0.0.1', 5299);
    const organization = settings.organizations.get('default');
    if (organization === undefined) throw new Error('no organization');
    const later = { ...organization, servers: ['s-9'], check: { ...organization.check, schedule: '0 4 * * *' } };
    const notes = world.controller.reload({
      ...settings,
      store: '/elsewhere',
      servers: new Map([['s-9', server]]),
      organizations: new Map([['default', later]]),
    });
    expect(notes).toEqual(['store has changed: that takes effect when the controller is restarted']);
    expect(world.controller.fleet.servers.list().map((view) => view.server)).toEqual(['s-9']);
    moveTo(world, 3 * HOUR_MS);
    expect(world.controller.fleet.runs.records({})).toEqual([]);
    moveTo(world, 4 * HOUR_MS);
    expect(world.controller.fleet.runs.records({})).toHaveLength(1);
    expect(world.controller.fleet.servers.list()[0]?.queued).toBe(0);
  });
});
