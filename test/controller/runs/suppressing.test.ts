import { describe, expect, it } from 'vitest';
import type { SuppressionOrder } from '../../../controller/api/suppression-orders.ts';
import type { SuppressionScope } from '../../../controller/schedule/suppression.ts';
import { Store } from '../../../controller/store/store.ts';
import { ControllerFixture, worldSettings } from '../../helpers/controller-fixture.ts';
import { lease, newRun } from '../store/samples.ts';

const HOUR_MS = 3_600_000;
const FLEET: SuppressionScope = { scope: 'fleet' };
const AP_1: SuppressionScope = { scope: 'device', name: 'ap-1' };

const suppress = (world: ControllerFixture, what: SuppressionScope, changes: Partial<SuppressionOrder> = {}) => {
  const order = { what, until_ms: null, reason: null, stop_running: false, ...changes };
  return world.controller.fleet.suppressions.suppress(order);
};

const suppressed = (world: ControllerFixture) =>
  world.controller.fleet.suppressions.list().map(({ scope, name }) => `${scope} ${name}`);

const said = (world: ControllerFixture) =>
  world.log
    .of('info')
    .flatMap(({ message, fields }) => (/suppressed/.test(message) ? [[message, fields['what']]] : []));

describe('a suppression', () => {
  it('is in force until it is lifted, counted in the status, and each change is logged', async () => {
    const world = await ControllerFixture.start();
    await world.agent('ap-1');
    expect(suppress(world, AP_1, { reason: 'on the roof' })).toEqual({
      ok: true,
      value: {
        suppression: {
          scope: 'device',
          name: 'ap-1',
          until: null,
          reason: 'on the roof',
          since: new Date(world.clock.wall()).toISOString(),
        },
        stopped: 0,
        warnings: [],
      },
    });
    expect(world.controller.fleet.status().suppressions).toBe(1);
    world.clock.advance(24 * HOUR_MS);
    expect(suppressed(world)).toEqual(['device ap-1']);
    expect(world.controller.fleet.suppressions.resume({ all: false, what: AP_1 })).toMatchObject({
      ok: true,
      value: { resumed: [{ scope: 'device', name: 'ap-1' }] },
    });
    expect(world.controller.fleet.status().suppressions).toBe(0);
    expect(said(world)).toEqual([
      ['suppressed: no new runs', 'device ap-1'],
      ['no longer suppressed', 'device ap-1'],
    ]);
  });

  it('ends by itself when its time has come', async () => {
    const world = await ControllerFixture.start();
    suppress(world, FLEET, { until_ms: world.clock.wall() + 90_000 });
    world.clock.advance(89_999);
    expect(suppressed(world)).toEqual(['fleet null']);
    expect(said(world)).toHaveLength(1);
    world.clock.advance(1);
    expect(suppressed(world)).toEqual([]);
    expect(said(world)[1]).toEqual(['no longer suppressed', 'the fleet']);
  });

  it('is in force again when a clock that had jumped ahead comes back', async () => {
    const world = await ControllerFixture.start();
    suppress(world, FLEET, { until_ms: world.clock.wall() + HOUR_MS });
    world.clock.jump(2 * HOUR_MS);
    world.clock.advance(60_000);
    expect(said(world)).toHaveLength(2);
    world.clock.jump(-2 * HOUR_MS);
    world.clock.advance(60_000);
    expect(said(world)).toHaveLength(3);
    expect(suppressed(world)).toEqual(['fleet null']);
  });

  it('survives a restart; one that ended long ago is forgotten', async () => {
    const world = await ControllerFixture.start();
    suppress(world, FLEET, { until_ms: world.clock.wall() + 48 * HOUR_MS, reason: 'storm' });
    suppress(world, { scope: 'server', name: 's-1' }, { until_ms: world.clock.wall() + HOUR_MS });
    world.clock.advance(26 * HOUR_MS);
    await world.restart();
    expect(world.controller.fleet.suppressions.list()).toMatchObject([{ scope: 'fleet', reason: 'storm' }]);
    world.clock.jump(-26 * HOUR_MS);
    expect(suppressed(world)).toEqual(['fleet null']);
  });

  it('of the same scope takes the place of the one before', async () => {
    const world = await ControllerFixture.start();
    suppress(world, FLEET, { until_ms: world.clock.wall() + HOUR_MS });
    suppress(world, FLEET, { reason: 'for good' });
    expect(world.controller.fleet.suppressions.list()).toMatchObject([
      { scope: 'fleet', until: null, reason: 'for good' },
    ]);
    expect(said(world).map(([message]) => message)).toEqual(Array(2).fill('suppressed: no new runs'));
  });

  it('must be of something that exists', async () => {
    const world = await ControllerFixture.start({ servers: ['s-1', 's-2'] });
    const refusal = (what: SuppressionScope) => {
      const answer = suppress(world, what);
      return answer.ok ? null : [answer.problem.error, answer.problem.message];
    };
    expect(refusal({ scope: 'organization', name: 'acme' })).toEqual([
      'not-found',
      'organization acme is not in the configuration; known: default',
    ]);
    expect(refusal({ scope: 'server', name: 's-9' })).toEqual([
      'not-found',
      'server s-9 is not in the configuration; known: s-1, s-2',
    ]);
    expect(refusal(AP_1)).toEqual(['not-found', 'there is no device ap-1; perfleet device list shows all']);
    world.settings.servers.clear();
    expect(refusal({ scope: 'server', name: 's-1' })?.[1]).toMatch(/known: none$/);
    expect(suppressed(world)).toEqual([]);
  });

  it('of a tag that no device has is taken, with a warning', async () => {
    const world = await ControllerFixture.start();
    await world.agent('ap-1', { tags: ['roof'] });
    expect(suppress(world, { scope: 'tag', name: 'lte' })).toMatchObject({
      value: { warnings: ['no device has the tag lte'] },
    });
    expect(suppress(world, { scope: 'tag', name: 'roof' })).toMatchObject({ value: { warnings: [] } });
    expect(suppressed(world)).toEqual(['tag lte', 'tag roof']);
  });
});

describe('resuming', () => {
  it('what is not suppressed fails, and says what is', async () => {
    const world = await ControllerFixture.start();
    const resume = () => world.controller.fleet.suppressions.resume({ all: false, what: AP_1 });
    expect(resume()).toMatchObject({
      ok: false,
      problem: { error: 'not-found', message: 'device ap-1 is not suppressed; suppressed: nothing' },
    });
    suppress(world, FLEET);
    suppress(world, { scope: 'tag', name: 'lte' });
    expect(resume()).toMatchObject({
      problem: { message: 'device ap-1 is not suppressed; suppressed: the fleet, every device with tag lte' },
    });
  });

  it('all lifts everything, and nothing when there is nothing', async () => {
    const world = await ControllerFixture.start();
    suppress(world, FLEET);
    suppress(world, { scope: 'server', name: 's-1' });
    expect(world.controller.fleet.suppressions.resume({ all: true })).toMatchObject({ value: { resumed: [{}, {}] } });
    expect(suppressed(world)).toEqual([]);
    expect(world.controller.fleet.suppressions.resume({ all: true })).toEqual({ ok: true, value: { resumed: [] } });
  });
});

describe('stopping what runs', () => {
  /** Both devices run, ap-1 on s-1 and ap-2 on s-2. */
  const running = async () => {
    const world = await ControllerFixture.start({ servers: ['s-1', 's-2'] });
    const first = await world.agent('ap-1', { tags: ['lte'] });
    const second = await world.agent('ap-2');
    const runs = [world.order('ap-1', 's-1'), world.order('ap-2', 's-2')] as const;
    const start = await first.begin('nonce-1');
    await second.begin('nonce-2');
    return { world, first, second, runs, start };
  };

  it.each<SuppressionScope>([AP_1, { scope: 'server', name: 's-1' }, { scope: 'tag', name: 'lte' }])(
    'of %j stops what is of it at once, and nothing else',
    async (what) => {
      const { world, first, runs, start } = await running();
      expect(suppress(world, what, { stop_running: true })).toMatchObject({ value: { stopped: 1 } });
      expect(await first.next('cancel')).toEqual({ type: 'cancel', run: runs[0], reason: 'suppressed' });
      expect(world.record(runs[0])).toMatchObject({ outcome: 'cancelled', reason: 'suppressed', server: 's-1' });
      expect(world.record(runs[1]).outcome).toBeNull();
      await first.declined(start, 'cancelled: iperf3 has ended');
      expect(suppress(world, what, { stop_running: true })).toMatchObject({ value: { stopped: 0 } });
    },
  );

  it.each<SuppressionScope>([FLEET, { scope: 'organization', name: 'default' }])('of %j stops all', async (what) => {
    const { world, runs } = await running();
    expect(suppress(world, what, { stop_running: true })).toMatchObject({ value: { stopped: 2 } });
    expect(runs.map((run) => world.record(run).outcome)).toEqual(['cancelled', 'cancelled']);
  });

  it('is also for what a restart has found on disk, and not for what is no run of ours any more', async () => {
    const settings = worldSettings({ servers: ['s-1', 's-2', 's-3'] });
    const store = Store.open(settings.store);
    const known = { device: 'ap-gone', organization: 'default' };
    store.runs.add([newRun('r-known', known), newRun('r-perhaps', known)]);
    const about = { device: 'ap-gone', granted: true };
    store.leases.save(lease(1, { ...about, run: 'r-unknown', server: 's-1' }));
    const granted = lease(2, { ...about, run: 'r-known', server: 's-2' });
    store.leases.save(granted);
    store.runs.noteGrant({
      token: 2,
      run: 'r-known',
      server: 's-2',
      via: 'agent',
      at_ms: Date.now(),
      tests: granted.tests,
    });
    store.leases.save(lease(3, { ...about, run: 'r-perhaps', server: 's-1', granted: false }));
    store.close();
    const world = await ControllerFixture.start({ settings });
    expect(world.controller.fleet.servers.list().map(({ run }) => run)).toEqual(['r-unknown', 'r-known', null]);
    expect(suppress(world, FLEET, { stop_running: true })).toMatchObject({ value: { stopped: 2 } });
    for (const run of ['r-known', 'r-perhaps']) {
      expect(world.record(run)).toMatchObject({ outcome: 'cancelled', reason: 'suppressed' });
    }
  });

  it('is for those who ask for it: without it what runs goes on', async () => {
    const { world, runs } = await running();
    expect(suppress(world, FLEET)).toMatchObject({ value: { stopped: 0 } });
    expect(runs.map((run) => world.record(run).outcome)).toEqual([null, null]);
  });
});
