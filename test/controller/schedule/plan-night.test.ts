import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_CHECK } from '../../../controller/config/check-section.ts';
import { HISTORY_REACH_MS, type NightMark } from '../../../controller/schedule/night.ts';
import { devicesOf, FleetMemory, organization } from './fleet-memory.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const at = (time: string) => Date.parse(time);

const mark = (start: string | number, more: Partial<NightMark> = {}): NightMark => ({
  organization: 'acme',
  schedule: DEFAULT_CHECK.schedule,
  timezone: 'UTC',
  start_ms: typeof start === 'number' ? start : at(start),
  ...more,
});

const fleet = (...world: ConstructorParameters<typeof FleetMemory>) => new FleetMemory(...world);

describe('a night', () => {
  test('begins at its occurrence, once for every device of its organization', () => {
    const acme = fleet(
      [organization('acme'), organization('other')],
      [...devicesOf('acme', 2), ...devicesOf('third', 1)],
    );
    expect(acme.plan('2026-11-22T01:59:59.999Z')).toMatchObject({
      due: [],
      missed: [],
      next_wake_ms: at('2026-11-22T02:00Z'),
    });
    const { due, missed, planned, next_wake_ms } = acme.plan('2026-11-22T02:00Z');
    expect(due.map(({ device }) => device).sort()).toEqual(['acme-0', 'acme-1']);
    expect(due[0]).toEqual({
      organization: 'acme',
      night: 'acme/2026-11-22T02:00:00.000Z',
      device: due[0]?.device,
      tests: DEFAULT_CHECK.tests,
      requested_at_ms: at('2026-11-22T02:00Z'),
      not_before_ms: at('2026-11-22T02:00Z'),
      window_end_ms: at('2026-11-22T07:00Z'),
    });
    expect(missed).toEqual([]);
    expect(planned).toEqual([mark('2026-11-22T02:00Z'), mark('2026-11-22T02:00Z', { organization: 'other' })]);
    expect(next_wake_ms).toBe(at('2026-11-23T02:00Z'));
    expect(acme.plan('2026-11-22T02:00Z')).toMatchObject({ due: [], missed: [], planned: [], gone: [] });
  });

  test('whose start passed while the controller was down is still due while its window is open', () => {
    const acme = fleet([organization('acme')]);
    acme.plan('2026-11-21T02:00Z');
    const { due, missed } = acme.plan('2026-11-22T06:59:59Z');
    expect(due).toHaveLength(3);
    expect(due[0]?.requested_at_ms).toBe(at('2026-11-22T02:00Z'));
    expect(missed).toEqual([]);
  });

  test('whose window closed while the controller was down is missed, with all of its devices', () => {
    const acme = fleet([organization('acme')]);
    acme.plan('2026-11-20T02:00Z');
    const { due, missed } = acme.plan('2026-11-22T07:00Z');
    expect(due).toEqual([]);
    expect(missed.map(({ night, device }) => `${night} ${device}`).sort()).toEqual([
      'acme/2026-11-21T02:00:00.000Z acme-0',
      'acme/2026-11-21T02:00:00.000Z acme-1',
      'acme/2026-11-21T02:00:00.000Z acme-2',
      'acme/2026-11-22T02:00:00.000Z acme-0',
      'acme/2026-11-22T02:00:00.000Z acme-1',
      'acme/2026-11-22T02:00:00.000Z acme-2',
    ]);
    expect(missed.at(-1)).toMatchObject({
      requested_at_ms: at('2026-11-22T02:00Z'),
      window_end_ms: at('2026-11-22T07:00Z'),
    });
  });

  test('ends when the next one begins, even if its window is longer', () => {
    const acme = fleet([organization('acme', { schedule: '0 * * * *' })]);
    acme.plan('2026-11-22T01:00Z');
    const { due, missed } = acme.plan('2026-11-22T03:30Z');
    expect(missed.map(({ window_end_ms }) => window_end_ms)).toEqual(Array(3).fill(at('2026-11-22T03:00Z')));
    expect(due[0]?.window_end_ms).toBe(at('2026-11-22T04:00Z'));
  });

  test('is not made up for when the check was off at its start', () => {
    const acme = fleet([organization('acme', { enabled: false })]);
    expect(acme.plan('2026-11-22T02:00Z')).toMatchObject({
      due: [],
      missed: [],
      next_wake_ms: at('2026-11-23T02:00Z'),
    });
    acme.organizations = new Map([organization('acme')]);
    expect(acme.plan('2026-11-22T02:30Z')).toMatchObject({ due: [], missed: [] });
    expect(acme.plan('2026-11-23T02:00Z').due).toHaveLength(3);
  });

  test('that is open is joined when the check of an organization is switched on for the first time', () => {
    const acme = fleet([organization('acme', { enabled: false })]);
    expect(acme.plan('2026-11-22T01:00Z')).toMatchObject({ due: [], missed: [], planned: [] });
    acme.organizations = new Map([organization('acme', { schedule: '0 1 * * *' })]);
    expect(acme.plan('2026-11-22T01:30Z').due).toHaveLength(3);
  });

  test('that is open is joined by an organization without history, an older one is not held against it', () => {
    expect(fleet([organization('acme')]).plan('2026-11-22T03:00Z').due).toHaveLength(3);
    expect(fleet([organization('acme', { schedule: '0 * * * *' })]).plan('2026-11-22T03:30Z').missed).toEqual([]);
    expect(fleet([organization('acme')]).plan('2026-11-22T07:00Z')).toMatchObject({ due: [], missed: [] });
  });

  test('of long ago is forgotten, so that the store is not filled after a year on the shelf', () => {
    const acme = fleet([organization('acme')]);
    acme.plan('2025-11-22T02:00Z');
    expect(acme.plan('2026-11-22T12:00Z').missed).toHaveLength((3 * HISTORY_REACH_MS) / DAY_MS);
  });

  test('has the same order of devices after a restart, and another one the next night', () => {
    const order = (time: string) =>
      fleet([organization('acme')], devicesOf('acme', 50))
        .plan(time)
        .due.map(({ device }) => device);
    expect(order('2026-11-22T02:00Z')).toEqual(order('2026-11-22T04:00Z'));
    expect(order('2026-11-22T02:00Z')).not.toEqual(order('2026-11-23T02:00Z'));
    expect(order('2026-11-22T02:00Z')).not.toEqual(order('2026-11-22T02:00Z').sort());
  });

  test('of nobody needs no waking', () => {
    expect(fleet([]).plan('2026-11-22T02:00Z')).toEqual({
      due: [],
      missed: [],
      planned: [],
      gone: [],
      ahead_ms: 0,
      next_wake_ms: null,
    });
  });

  test('comes first for whoever is first', () => {
    const both = fleet([organization('acme', { schedule: '0 5 * * *' }), organization('other')]);
    expect(both.plan('2026-11-22T00:00Z').next_wake_ms).toBe(at('2026-11-22T02:00Z'));
    expect(both.plan('2026-11-22T03:00Z').next_wake_ms).toBe(at('2026-11-22T05:00Z'));
  });

  test('a schedule that has come for the last time gives no next one', () => {
    const acme = fleet([organization('acme', { schedule: '0 2 31 12 *' })]);
    const now = at('2999-12-31T02:00Z');
    expect(acme.plan(now)).toMatchObject({ next_wake_ms: null, due: [{ window_end_ms: now + 5 * HOUR_MS }, {}, {}] });
  });
});

describe('a clock that jumps', () => {
  test('back does not double a night', () => {
    const acme = fleet([organization('acme')]);
    acme.plan('2026-11-22T02:00Z');
    expect(acme.plan('2026-11-21T23:00Z')).toMatchObject({
      due: [],
      ahead_ms: 3 * HOUR_MS,
      next_wake_ms: at('2026-11-22T02:00Z'),
    });
    expect(acme.plan('2026-11-22T02:00Z').due).toEqual([]);
    expect(acme.plan('2026-11-23T02:00Z').due).toHaveLength(3);
  });

  test('to another decade and back does not stop the fleet from being measured', () => {
    const acme = fleet([organization('acme')]);
    acme.plan('2026-11-21T02:00Z');
    acme.plan('2036-11-21T02:00Z');
    expect(acme.plan('2026-11-22T02:00Z').due).toHaveLength(3);
  });
});

const startOf = (night: string) => at(night.slice(night.indexOf('/') + 1));

/** Every second of a zone's year would do; these are the nights around both of its changes of 2026. */
const ZONES: [zone: string, around: string][] = [
  ['UTC', '2026-03-01'],
  ['Europe/Rome', '2026-03-29'],
  ['Europe/Rome', '2026-10-25'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-10-04'],
];

test.each(ZONES)(
  'in %s around %s each night is due or missed exactly once, however the clock moves',
  (timezone, around) => {
    const first = at(`${around}T00:00Z`) - 4 * DAY_MS;
    const steps = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 0, max: 6 * HOUR_MS }) },
        { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 * DAY_MS }) },
        { weight: 2, arbitrary: fc.integer({ min: -2 * DAY_MS, max: 0 }) },
        { weight: 3, arbitrary: fc.constant('wake' as const) },
      ),
      { minLength: 1, maxLength: 15 },
    );
    const minute = fc.integer({ min: 0, max: 59 });
    const hour = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(steps, hour, minute, (moves, h, m) => {
        const acme = fleet([organization('acme', { timezone, schedule: `${m} ${h} * * *` })], devicesOf('acme', 2));
        acme.done.push(mark(first, { timezone, schedule: `${m} ${h} * * *` }));
        const seen: string[] = [];
        let now = first;
        let latest = first;
        for (const move of moves) {
          const { next_wake_ms } = acme.plan(now);
          // Within what planNight promises: a clock further back than its reach is another case.
          now = Math.max(latest - HISTORY_REACH_MS + HOUR_MS, move === 'wake' ? (next_wake_ms ?? now) : now + move);
          latest = Math.max(latest, now);
          const { due, missed, next_wake_ms: next } = acme.plan(now);
          expect(next).toBeGreaterThan(now);
          seen.push(...new Set([...due, ...missed].map(({ night }) => night)));
          expect([due.length % 2, missed.length % 2]).toEqual([0, 0]);
          for (const { requested_at_ms, window_end_ms } of due) {
            expect(requested_at_ms).toBeLessThanOrEqual(now);
            expect(window_end_ms).toBeGreaterThan(now);
          }
        }
        expect(new Set(seen).size).toBe(seen.length);

        // One night a calendar day, without a gap, and none left out up to the latest moment that the clock has shown.
        const day = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' });
        const days = seen.map((night) => day.format(startOf(night))).sort();
        const wanted: string[] = [];
        for (let moment = first; moment < latest + DAY_MS; moment += HOUR_MS) {
          const name = day.format(moment);
          if (!wanted.includes(name)) wanted.push(name);
        }
        const from = wanted.indexOf(days[0] ?? '');
        expect(from).toBeLessThanOrEqual(1);
        if (days.length > 0) expect(days).toEqual(wanted.slice(from, from + days.length));
        expect(latest - startOf(seen.toSorted().at(-1) ?? `acme/${new Date(first).toISOString()}`)).toBeLessThan(
          2 * DAY_MS,
        );
      }),
      { numRuns: 60 },
    );
  },
);
