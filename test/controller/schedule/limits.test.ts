import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetVerdict } from '../../../controller/schedule/budget.ts';
import { dayStart, monthStart } from '../../../controller/schedule/calendar.ts';
import { dailyVerdict } from '../../../controller/schedule/daily.ts';

describe('a month and a day begin', () => {
  test.each([
    ['UTC', '2026-11-22T03:00Z', '2026-11-22T00:00', '2026-11-01T00:00'],
    ['UTC', '2026-11-01T00:00Z', '2026-11-01T00:00', '2026-11-01T00:00'],
    ['Europe/Rome', '2026-10-31T23:30Z', '2026-10-31T23:00', '2026-10-31T23:00'],
    ['Europe/Rome', '2026-10-31T22:30Z', '2026-10-30T23:00', '2026-09-30T22:00'],
    // The day on which clocks go back has 25 hours.
    ['Europe/Rome', '2026-10-25T22:59Z', '2026-10-24T22:00', '2026-09-30T22:00'],
    // Midnight is in the gap: the day begins at its end.
    ['America/Asuncion', '2023-10-01T12:00Z', '2023-10-01T04:00', '2023-10-01T04:00'],
    ['Asia/Kathmandu', '2026-11-22T18:14Z', '2026-11-21T18:15', '2026-10-31T18:15'],
  ])('in %s, seen from %s, at %s and %s', (zone, now, day, month) => {
    const shown = (moment: number) => new Date(moment).toISOString().slice(0, 16);
    expect([shown(dayStart(Date.parse(now), zone)), shown(monthStart(Date.parse(now), zone))]).toEqual([day, month]);
  });

  test('once: also where clocks go back over midnight, the new day stays', () => {
    // Havana, 1 November 2026, 01:00 is 00:00 again. Asuncion, 26 March 2023, 00:00 was 23:00 of the day before.
    const before = Date.parse('2023-03-26T02:59Z');
    const [first, second] = [before, before + 3_600_000].map((now) => dayStart(now, 'America/Asuncion'));
    expect(second).toBe(first);
    expect(dayStart(Date.parse('2026-11-01T05:30Z'), 'America/Havana')).toBe(Date.parse('2026-11-01T04:00Z'));
  });

  test('in the past, a month not after its days, and never earlier than for an earlier moment', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Rome', 'America/Havana', 'Australia/Lord_Howe', 'America/Asuncion');
    const moment = fc.integer({ min: Date.parse('2023-01-01'), max: Date.parse('2027-01-01') });
    fc.assert(
      fc.property(zone, moment, fc.integer({ min: 0, max: 40 * 86_400_000 }), (timezone, now, later) => {
        const [day, month] = [dayStart(now, timezone), monthStart(now, timezone)];
        expect(day).toBeLessThanOrEqual(now);
        expect(month).toBeLessThanOrEqual(day);
        expect(now - day).toBeLessThanOrEqual(25 * 3_600_000);
        expect(dayStart(day, timezone)).toBe(day);
        expect(monthStart(month, timezone)).toBe(month);
        expect(dayStart(now + later, timezone)).toBeGreaterThanOrEqual(day);
        expect(monthStart(now + later, timezone)).toBeGreaterThanOrEqual(month);
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  [null, 1e15, 1e15, true],
  [1000, 0, 0, true],
  [1000, 400, 600, true],
  [1000, 400, 601, false],
  [1000, 1000, 0, false],
  [1000, 0, 1001, false],
])('of a budget of %j bytes with %d used, %d more are allowed: %j', (budget, used, estimate, ok) => {
  expect(budgetVerdict({ budget, used, estimate })).toEqual(ok ? { ok } : { ok, reason: 'over-budget' });
});

test.each([
  [null, 1000, true],
  [4, 3, true],
  [4, 4, false],
])('with a limit of %j runs a day and %d so far, one more is allowed: %j', (limit, runs_today, ok) => {
  expect(dailyVerdict({ limit, runs_today })).toEqual(ok ? { ok } : { ok, reason: 'daily-limit' });
});
