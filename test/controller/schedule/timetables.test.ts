import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_CHECK } from '../../../controller/config/check-section.ts';
import type { CheckSettings } from '../../../controller/config/settings.ts';
import { checkOf } from '../../../controller/schedule/check-of.ts';
import { HISTORY_REACH_MS, timetableKey, timetablesOf } from '../../../controller/schedule/night.ts';
import { occurrences } from '../../../controller/schedule/occurrences.ts';
import type { DueRun } from '../../../controller/schedule/plan-night.ts';
import { devicesOf, FleetMemory, organization } from './fleet-memory.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const at = (time: string) => Date.parse(time);
const names = (runs: readonly DueRun[]) => runs.map(({ device }) => device).sort();
const nights = (runs: readonly DueRun[]) => [...new Set(runs.map(({ night }) => night))].sort();

/** Half of the devices have the tag `lte`, which changes something. */
const mixed = (change: Partial<CheckSettings>, check: Partial<CheckSettings> = {}) =>
  new FleetMemory(
    [organization('acme', check, { lte: change })],
    [...devicesOf('acme', 2), ...devicesOf('acme', 2, 'lte')],
  );

describe('devices whose tags', () => {
  test('change the schedule have nights of their own, planned and missed by themselves', () => {
    const acme = mixed({ schedule: '30 3 * * *' });
    acme.plan('2026-11-21T12:00Z');
    expect(names(acme.plan('2026-11-22T02:00Z').due)).toEqual(['acme-0', 'acme-1']);
    expect(acme.plan('2026-11-22T02:01Z').next_wake_ms).toBe(at('2026-11-22T03:30Z'));
    expect(names(acme.plan('2026-11-22T03:30Z').due)).toEqual(['acme-lte-0', 'acme-lte-1']);
    // The controller is down until the window of one of the two is over.
    const { due, missed } = acme.plan('2026-11-23T08:00Z');
    expect(names(missed)).toEqual(['acme-0', 'acme-1']);
    expect(names(due)).toEqual(['acme-lte-0', 'acme-lte-1']);
  });

  test('change the time zone begin when it is time there', () => {
    const acme = mixed({ timezone: 'Asia/Tokyo' });
    acme.plan('2026-11-21T12:00Z');
    expect(names(acme.plan('2026-11-21T17:00Z').due)).toEqual(['acme-lte-0', 'acme-lte-1']);
    expect(names(acme.plan('2026-11-22T02:00Z').due)).toEqual(['acme-0', 'acme-1']);
  });

  test('change schedule and time zone between them have the nights of both', () => {
    const tags = { early: { schedule: '0 1 * * *' }, tokyo: { timezone: 'Asia/Tokyo' } };
    const acme = new FleetMemory([organization('acme', {}, tags)], devicesOf('acme', 1, 'tokyo', 'early'));
    acme.plan('2026-11-21T12:00Z');
    expect(nights(acme.plan('2026-11-21T20:00Z').due)).toEqual(['acme/2026-11-21T16:00:00.000Z']);
    expect(nights(acme.plan('2026-11-22T12:00Z').due)).toEqual([]);
  });

  test('change window and tests have one night with the others, each with its own', () => {
    const tests = DEFAULT_CHECK.tests.slice(0, 1);
    const { due } = mixed({ window_ms: HOUR_MS, tests }).plan('2026-11-22T02:00Z');
    expect(nights(due)).toEqual(['acme/2026-11-22T02:00:00.000Z']);
    const [own, other] = [
      due.find(({ device }) => device === 'acme-lte-0'),
      due.find(({ device }) => device === 'acme-0'),
    ];
    expect(own).toMatchObject({ window_end_ms: at('2026-11-22T03:00Z') });
    expect(own?.tests).toBe(tests);
    expect(other).toMatchObject({ window_end_ms: at('2026-11-22T07:00Z') });
    expect(other?.tests).toBe(DEFAULT_CHECK.tests);
  });

  test('shorten the window have missed a night that is still open for the others', () => {
    const acme = mixed({ window_ms: HOUR_MS });
    acme.plan('2026-11-21T12:00Z');
    const { due, missed } = acme.plan('2026-11-22T04:00Z');
    expect(names(missed)).toEqual(['acme-lte-0', 'acme-lte-1']);
    expect(names(due)).toEqual(['acme-0', 'acme-1']);
  });

  test('switch the check on, or off, are the only ones that are measured, or not', () => {
    expect(names(mixed({ enabled: true }, { enabled: false }).plan('2026-11-22T02:00Z').due)).toEqual([
      'acme-lte-0',
      'acme-lte-1',
    ]);
    expect(names(mixed({ enabled: false }).plan('2026-11-22T02:00Z').due)).toEqual(['acme-0', 'acme-1']);
  });

  test('are changed have the next night of their new timetable, and none twice', () => {
    const acme = mixed({ schedule: '0 4 * * *' });
    acme.plan('2026-11-21T12:00Z');
    acme.plan('2026-11-22T02:00Z');
    acme.devices = [...devicesOf('acme', 2, 'lte'), ...devicesOf('acme', 2)];
    expect(names(acme.plan('2026-11-22T03:00Z').due)).toEqual([]);
    const [first] = acme.devices;
    acme.devices = first === undefined ? [] : [{ ...first, tags: [] }];
    expect(acme.plan('2026-11-22T03:01Z').due).toEqual([]);
    expect(acme.plan('2026-11-22T04:00Z').due).toEqual([]);
    expect(names(acme.plan('2026-11-23T02:00Z').due)).toEqual(['acme-lte-0']);
  });
});

describe('a spread', () => {
  const takes = 1000 * 3 * (10 + 1 + 10) + 5000;

  test('of even lets the devices begin one after the other, the last one in time for its window', () => {
    const acme = new FleetMemory([organization('acme', { spread: 'even' })], devicesOf('acme', 4));
    const begins = acme.plan('2026-11-22T02:00Z').due.map((run) => run.not_before_ms - run.requested_at_ms);
    const slack = 5 * HOUR_MS - takes;
    expect(begins).toEqual([0, slack / 4, slack / 2, (3 * slack) / 4].map(Math.floor));
  });

  test('of even in a window that is too short is packed', () => {
    const acme = new FleetMemory([organization('acme', { spread: 'even', window_ms: takes - 1 })]);
    const { due } = acme.plan('2026-11-22T02:00Z');
    expect(due.map((run) => run.not_before_ms - run.requested_at_ms)).toEqual([0, 0, 0]);
  });

  test('counts for whom it is meant', () => {
    const { due } = mixed({ spread: 'even' }).plan('2026-11-22T02:00Z');
    for (const { device, not_before_ms, requested_at_ms } of due) {
      if (!device.includes('lte')) expect(not_before_ms).toBe(requested_at_ms);
    }
    expect(new Set(due.map(({ not_before_ms }) => not_before_ms)).size).toBeGreaterThan(1);
  });
});

describe('another schedule', () => {
  const daily = (hour: number) => organization('acme', { schedule: `0 ${hour} * * *` });
  const changed = (first: string, change: [string, ReturnType<typeof organization>[1]], then: string) => {
    const acme = new FleetMemory([daily(2)], devicesOf('acme', 1));
    acme.plan('2026-11-21T12:00Z');
    acme.plan(first);
    acme.organizations = new Map([change]);
    return { acme, plan: acme.plan(then) };
  };

  test('counts from the moment at which it comes into force: the night that was planned is not doubled', () => {
    const { acme, plan } = changed('2026-11-22T02:00Z', daily(3), '2026-11-22T03:30Z');
    expect(plan).toMatchObject({ due: [], missed: [], gone: [{ schedule: '0 2 * * *' }] });
    expect(acme.plan('2026-11-23T02:00Z').due).toEqual([]);
    expect(acme.plan('2026-11-23T03:00Z').due).toHaveLength(1);
  });

  test('that took the place of the old one while the controller was down takes over at its next night', () => {
    const { plan } = changed('2026-11-22T02:00Z', daily(4), '2026-11-24T05:00Z');
    expect([nights(plan.missed), nights(plan.due)]).toEqual([
      ['acme/2026-11-23T04:00:00.000Z'],
      ['acme/2026-11-24T04:00:00.000Z'],
    ]);
  });

  test('does not count back behind nights of a clock that was ahead', () => {
    const { acme } = changed('2026-11-25T02:00Z', daily(3), '2026-11-23T12:00Z');
    expect(acme.plan('2026-11-24T03:00Z')).toMatchObject({ due: [], ahead_ms: 23 * HOUR_MS });
    expect(acme.plan('2026-11-25T03:00Z').due).toHaveLength(1);
  });

  test('of a tag that is new begins with its next night', () => {
    const { acme, plan } = changed(
      '2026-11-22T02:00Z',
      organization('acme', {}, { lte: { schedule: '0 3 * * *' } }),
      '2026-11-22T04:00Z',
    );
    expect(plan).toMatchObject({ due: [], missed: [], planned: [{ start_ms: at('2026-11-22T04:00Z') }], gone: [] });
    acme.devices = devicesOf('acme', 1, 'lte');
    expect(nights(acme.plan('2026-11-23T04:00Z').due)).toEqual(['acme/2026-11-23T03:00:00.000Z']);
  });

  test('that comes back is not held to account for the time between', () => {
    const { acme } = changed('2026-11-22T02:00Z', daily(3), '2026-11-22T12:00Z');
    acme.plan('2026-11-25T03:00Z');
    acme.organizations = new Map([daily(2)]);
    expect(acme.plan('2026-11-25T12:00Z')).toMatchObject({ due: [], missed: [] });
  });

  test('takes over now when the old one names a time zone that is not known any more, or never comes again', () => {
    const now = at('2999-12-31T05:00Z');
    const planned = (old: { schedule?: string; timezone?: string; start_ms: number }) => {
      const acme = new FleetMemory([daily(2)], devicesOf('acme', 1));
      acme.done.push({ organization: 'acme', schedule: '0 1 * * *', timezone: 'UTC', ...old });
      return acme.plan(now).due.length;
    };
    expect(planned({ start_ms: now - DAY_MS })).toBe(1);
    expect(planned({ start_ms: now - DAY_MS, timezone: 'Mars/Olympus' })).toBe(0);
    expect(planned({ start_ms: now - HOUR_MS, schedule: '0 1 31 12 *' })).toBe(0);
  });

  test('beside a history that can not be believed joins the night that is open', () => {
    const { plan } = changed('2027-11-22T02:00Z', daily(3), '2026-11-22T03:30Z');
    expect(plan.due).toHaveLength(1);
  });
});

test('an organization that leaves the configuration is forgotten, and joins the open night when it comes back', () => {
  const acme = new FleetMemory([organization('acme')]);
  acme.plan('2026-11-22T02:00Z');
  acme.organizations = new Map([organization('other')]);
  expect(acme.plan('2026-11-22T12:00Z')).toMatchObject({ due: [], missed: [], gone: [{ organization: 'acme' }] });
  acme.organizations = new Map([organization('acme')]);
  expect(acme.plan('2026-11-25T03:00Z')).toMatchObject({ due: [{}, {}, {}], missed: [] });
});

test('a new organization whose first night nobody was there for has missed it', () => {
  const acme = new FleetMemory([organization('acme')], devicesOf('acme', 1));
  expect(acme.plan('2026-11-21T12:00Z')).toMatchObject({ due: [], missed: [] });
  expect(nights(acme.plan('2026-11-22T12:00Z').missed)).toEqual(['acme/2026-11-22T02:00:00.000Z']);
});

test('devices are asked for only when a night has begun', () => {
  const acme = new FleetMemory([organization('acme')]);
  acme.plan('2026-11-22T02:00Z');
  Object.defineProperty(acme, 'devices', {
    get: () => {
      throw new Error('asked');
    },
  });
  expect(acme.plan('2026-11-22T12:00Z').due).toEqual([]);
  expect(() => acme.plan('2026-11-23T02:00Z')).toThrow('asked');
});

/** A night every other hour, daily, on working days, in a gap and in a repeated hour of summer time. */
const SCHEDULES = ['0 2 * * *', '30 2 * * *', '0 */6 * * *', '15 3 * * 1-5', '59 1 * * *'];
const change = fc.record(
  {
    schedule: fc.constantFrom(...SCHEDULES),
    timezone: fc.constantFrom('UTC', 'Europe/Rome', 'America/New_York', 'Australia/Lord_Howe'),
    window_ms: fc.constantFrom(HOUR_MS, 5 * HOUR_MS, 30 * HOUR_MS),
    enabled: fc.boolean(),
    spread: fc.constantFrom('pack' as const, 'even' as const),
  },
  { requiredKeys: [] },
);
const configuration = fc.record({ check: change, tags: fc.dictionary(fc.constantFrom('a', 'b', 'c'), change) });
const tagsOf = fc.subarray(['a', 'b', 'c']);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('wake' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 2 * DAY_MS }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40 * DAY_MS }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('back' as const), ms: fc.integer({ min: 0, max: 7 * DAY_MS }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retag' as const), device: fc.nat(3), tags: tagsOf }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reload' as const), to: configuration }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const) }) },
);

test('over any schedules, zones, tags, jumps of the clock, reloads and restarts each device has one run for each night of its check', () => {
  fc.assert(
    fc.property(
      configuration,
      fc.array(tagsOf, { minLength: 4, maxLength: 4 }),
      fc.constantFrom('2026-03-27', '2026-10-23', '2026-11-20', '2026-04-03'),
      fc.array(step, { minLength: 1, maxLength: 25 }),
      (first, tags, day, steps) => {
        const settings = ({ check, tags }: typeof first) => organization('acme', check, tags);
        const devices = tags.map((own, index) => ({ device: `d-${index}`, organization: 'acme', tags: own }));
        const world = new FleetMemory([settings(first)], devices);
        let now = at(`${day}T12:00Z`);
        let latest = now;
        /** From when on the nights of a timetable are ours to plan. */
        let since = new Map<string, number>();
        let seen = new Set<string>();

        const watch = () => {
          const acme = world.organizations.get('acme');
          if (acme === undefined) throw new Error('no organization');
          latest = Math.max(latest, now);
          // Nothing was measured so far: the night that is open when a check is switched on is joined.
          if (world.done.length === 0) return watchFirst();
          since = new Map(timetablesOf(acme).map((one) => [timetableKey(one), since.get(timetableKey(one)) ?? latest]));
          const { due, missed, next_wake_ms } = world.plan(now);
          expect(next_wake_ms).toBeGreaterThan(now);
          for (const run of [...due, ...missed]) {
            const key = `${run.night} ${run.device}`;
            expect(seen).not.toContain(key);
            seen.add(key);
            expect(run.not_before_ms).toBeGreaterThanOrEqual(run.requested_at_ms);
            expect(run.not_before_ms).toBeLessThan(run.window_end_ms);
          }
          expect(due.every((run) => run.window_end_ms > now)).toBe(true);
          expect(missed.every((run) => run.window_end_ms <= now)).toBe(true);
          for (const { device, tags } of world.devices) {
            const check = checkOf(acme, tags);
            const wanted: number[] = [];
            const { after } = occurrences(check.schedule, check.timezone);
            let night = after(Math.max(since.get(timetableKey(check)) ?? now, now - HISTORY_REACH_MS));
            for (; check.enabled && night !== null && night <= now; night = after(night)) wanted.push(night);
            const got = [...missed, ...due].filter((run) => run.device === device).map((run) => run.requested_at_ms);
            expect(got.sort((a, b) => a - b)).toEqual(wanted);
          }
          for (const key of since.keys()) since.set(key, latest);
          return next_wake_ms ?? now;
        };

        let wake = watchFirst();
        for (const one of steps) {
          if (one.kind === 'wake') now = Math.max(now, wake);
          else if (one.kind === 'wait') now += one.ms;
          else if (one.kind === 'back') now = Math.max(now - one.ms, latest - HISTORY_REACH_MS + DAY_MS);
          else if (one.kind === 'retag') {
            world.devices = world.devices.map((old, index) =>
              index === one.device ? { ...old, tags: one.tags } : old,
            );
          } else if (one.kind === 'reload') {
            // With a clock that is right: what a schedule that is new does behind one that was wrong is another test.
            now = Math.max(now, latest);
            watch();
            world.organizations = new Map([settings(one.to)]);
          } else {
            world.done = [];
            wake = watchFirst();
            continue;
          }
          wake = watch();
        }

        /** Without history the night that is open is joined: once, and only that. */
        function watchFirst(): number {
          seen = new Set();
          latest = now;
          since = new Map();
          const { due, missed, next_wake_ms } = world.plan(now);
          expect(missed).toEqual([]);
          expect(new Set(due.map(({ device }) => device)).size).toBe(due.length);
          for (const { night, device } of due) seen.add(`${night} ${device}`);
          const acme = world.organizations.get('acme');
          for (const one of acme === undefined ? [] : timetablesOf(acme)) since.set(timetableKey(one), now);
          return next_wake_ms ?? now;
        }
      },
    ),
    { numRuns: 250 },
  );
});

test('a million devices of 100 organizations are planned in one go, and share their tests', () => {
  const organizations = Array.from({ length: 100 }, (_, index) =>
    organization(`o-${index}`, {}, { lte: { spread: 'even' }, late: { schedule: '0 3 * * *' } }),
  );
  const tags = [[], ['lte'], ['late'], ['lte', 'late', 'roof']];
  const devices = Array.from({ length: 200_000 }, (_, index) => ({
    device: `d-${index}`,
    organization: `o-${index % 100}`,
    tags: tags[index % 4] ?? [],
  }));
  const { due } = new FleetMemory(organizations, devices).plan('2026-11-22T04:00Z');
  expect(due).toHaveLength(200_000);
  expect(due.every((run) => run.tests === DEFAULT_CHECK.tests)).toBe(true);
});
