import { describe, expect, it, onTestFinished } from 'vitest';
import { DEFAULT_CHECK } from '../../../controller/config/check-section.ts';
import { Nights } from '../../../controller/runs/nights.ts';
import { Settlement } from '../../../controller/runs/settlement.ts';
import { worldSettings } from '../../helpers/controller-fixture.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { openStore } from '../store/open-store.ts';

const HOUR_MS = 3_600_000;
const BATCH = 250;

/** Nights with a store and a clock, and a list in the place of the slots. The clock begins at midnight UTC, and the night at two. */
const planned = (devices: number) => {
  const store = openStore();
  const settings = worldSettings({ check: { enabled: true, schedule: '0 2 * * *', window_ms: HOUR_MS } });
  const [log, timers] = [new RecordedLog(), new ManualClock()];
  const submitted: string[] = [];
  const failures: Error[] = [];
  /** How many were submitted when InfluxDB's rows were looked after. */
  const points: number[] = [];
  const settlement = new Settlement({ store, influx: false, checkOf: () => DEFAULT_CHECK, random: () => 0, log });
  const world = { store, settings, log, submitted, failures, points, wall_ms: 0, nights: null as Nights | null };
  const start = () => {
    world.nights?.stop();
    world.nights = new Nights({
      settings: () => world.settings,
      store,
      settlement,
      submit: (run) => submitted.push(run),
      onFatal: (error) => failures.push(error),
      onPoints: () => points.push(submitted.length),
      // Its wall clock can be set; its timers go on.
      clock: {
        now: () => timers.now(),
        wall: () => timers.wall() + world.wall_ms,
        after: (...timer) => timers.after(...timer),
      },
      log,
    });
    world.nights.start();
  };
  onTestFinished(() => world.nights?.stop());
  store.atomically(() => {
    for (let index = 0; index < devices; index++) {
      store.devices.add({ device: `ap-${index}`, organization: 'default', tags: [], uplink_group: null }, 'hash');
    }
  });
  const warnings = (part: string) => log.of('warn').filter(({ message }) => message.includes(part));
  return { ...world, world, timers, start, warnings };
};

describe('a night of many devices', () => {
  it('is written down and handed on batch by batch, each device once', () => {
    const { start, timers, store, submitted } = planned(600);
    start();
    const seen: number[][] = [];
    timers.advance(2 * HOUR_MS - 1);
    // Comes after the night's own timer, and before those that it sets.
    timers.after(1, () => seen.push([submitted.length, store.runs.countOpen()]));
    timers.advance(1);
    expect(seen).toEqual([[BATCH, BATCH]]);
    expect(new Set(submitted).size).toBe(600);
    expect(submitted).toHaveLength(600);
  });

  it('that is stopped in between is completed by the next start: nobody is skipped, and nobody measured twice', () => {
    const { start, timers, world, store, submitted } = planned(600);
    start();
    timers.advance(2 * HOUR_MS - 1);
    timers.after(1, () => world.nights?.stop());
    timers.advance(HOUR_MS);
    expect([submitted.length, store.runs.open().length]).toEqual([BATCH, BATCH]);
    start();
    timers.advance(0);
    expect([submitted.length, store.runs.open().length]).toEqual([600, 600]);
    expect(new Set(store.runs.open().map(({ device }) => device)).size).toBe(600);
  });

  it('that nobody was there for is missed for every device, and nothing of it is handed on', () => {
    const { start, timers, store, world, submitted, points } = planned(600);
    start();
    world.wall_ms = 4 * HOUR_MS;
    timers.advance(60_000);
    expect([submitted, points]).toEqual([[], [0, 0, 0, 0]]);
    expect(store.runs.countOpen()).toBe(0);
    const records = store.records.list({ limit: 600 });
    expect(new Set(records.map(({ outcome, reason }) => `${outcome} ${reason}`))).toEqual(
      new Set(['missed controller-was-down']),
    );
    expect(records).toHaveLength(600);
  });

  it('is not doubled when its organization leaves the configuration and comes back', () => {
    const { start, timers, world, submitted } = planned(3);
    start();
    timers.advance(2 * HOUR_MS);
    const before = world.settings;
    world.settings = { ...before, organizations: new Map() };
    world.nights?.look();
    expect(world.store.nights.history()).toEqual([]);
    world.settings = before;
    world.nights?.look();
    timers.advance(HOUR_MS / 2);
    expect(submitted).toHaveLength(3);
    timers.advance(24 * HOUR_MS);
    expect(submitted).toHaveLength(6);
  });

  it('stops the controller when the store can not be written any more', () => {
    const { start, timers, store, failures } = planned(1);
    start();
    store.close();
    timers.advance(60_000);
    expect(failures.map(({ message }) => message)).toEqual([expect.stringContaining('is closed')]);
  });
});

describe('what would go unnoticed is said', () => {
  it('at each start, each look after a change of settings and each night: devices of an organization that is not configured', () => {
    const { start, timers, store, world, warnings } = planned(1);
    store.devices.add({ device: 'stray', organization: 'gone', tags: [], uplink_group: null }, 'hash');
    start();
    expect(warnings('not in the configuration').map(({ fields }) => fields)).toEqual([
      { organization: 'gone', devices: 1 },
    ]);
    world.nights?.look();
    expect(warnings('not in the configuration')).toHaveLength(2);
    timers.advance(2 * HOUR_MS);
    expect(warnings('not in the configuration')).toHaveLength(3);
    expect(store.runs.open().map(({ device }) => device)).toEqual(['ap-0']);
  });

  it('once: a clock that is behind nights that were planned, which do not come again', () => {
    const { start, timers, world, submitted, warnings } = planned(1);
    start();
    timers.advance(2 * HOUR_MS);
    world.wall_ms = -26 * HOUR_MS;
    timers.advance(10 * 60_000);
    expect(warnings('the clock is behind').map(({ fields }) => fields)).toEqual([{ behind_s: 26 * 3600 - 60 }]);
    timers.advance(47 * HOUR_MS);
    expect(submitted).toHaveLength(1);
    timers.advance(3 * HOUR_MS);
    expect(submitted).toHaveLength(2);
    world.wall_ms = -3 * 24 * HOUR_MS;
    timers.advance(60_000);
    expect(warnings('the clock is behind')).toHaveLength(2);
  });

  it('not when nothing is wrong, and in an organization whose check is off nothing is planned', () => {
    const { start, timers, log, world, store } = planned(1);
    const [organization] = [...world.settings.organizations.values()];
    if (organization === undefined) throw new Error('no organization');
    const check = { ...organization.check, enabled: false };
    world.settings = { ...world.settings, organizations: new Map([['default', { ...organization, check }]]) };
    start();
    timers.advance(30 * HOUR_MS);
    expect(log.lines).toEqual([]);
    expect(store.runs.countOpen()).toBe(0);
    expect(store.nights.history()).toHaveLength(1);
  });
});
