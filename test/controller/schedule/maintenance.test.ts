import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maintenanceAt } from '../../../controller/schedule/maintenance.ts';
import { occurrences } from '../../../controller/schedule/occurrences.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const at = (time: string) => Date.parse(time);
const window = (schedule: string, hours: number, timezone = 'UTC') => ({
  ...{ schedule, timezone, duration_ms: hours * HOUR_MS },
});
const shown = (windows: ReturnType<typeof window>[], time: string) => {
  const { under_way, next_ms } = maintenanceAt(windows, at(time));
  return [under_way, next_ms === null ? null : new Date(next_ms).toISOString().slice(0, 16)];
};

describe('planned maintenance', () => {
  // 22 November 2026 is a Sunday.
  const sunday = window('0 3 * * 0', 1);

  test.each([
    ['before its window comes with that', '2026-11-22T02:59:59.999Z', [false, '2026-11-22T03:00']],
    ['is under way from the first moment of its window', '2026-11-22T03:00Z', [true, '2026-11-22T04:00']],
    ['is under way up to the last moment', '2026-11-22T03:59:59.999Z', [true, '2026-11-22T04:00']],
    ['is over at the end of its window, until the next one', '2026-11-22T04:00Z', [false, '2026-11-29T03:00']],
  ])('%s', (_, time, expected) => expect(shown([sunday], time)).toEqual(expected));

  test('that was never planned never comes', () => expect(shown([], '2026-11-22T03:00Z')).toEqual([false, null]));

  test('of several windows goes on until the last of those that overlap or touch is over', () => {
    const windows = [window('0 5 * * *', 1), sunday, window('30 3 * * *', 1.5)];
    expect(shown(windows, '2026-11-22T03:10Z')).toEqual([true, '2026-11-22T06:00']);
    expect(shown(windows, '2026-11-22T02:00Z')).toEqual([false, '2026-11-22T03:00']);
    expect(shown(windows, '2026-11-22T06:00Z')).toEqual([false, '2026-11-23T03:30']);
  });

  test('whose windows follow each other without a gap has no end in sight', () => {
    expect(shown([window('* * * * *', 1)], '2026-11-22T03:10Z')).toEqual([true, null]);
    expect(shown([window('0 0 * * *', 24)], '2026-11-22T03:10Z')).toEqual([true, null]);
  });

  test('that has come for the last time comes no more', () => {
    expect(shown([window('0 3 31 12 *', 1)], '2999-12-31T05:00Z')).toEqual([false, null]);
  });

  test('lasts as long as it should when clocks change', () => {
    expect(shown([window('0 2 * * *', 2, 'Europe/Rome')], '2026-10-25T01:30Z')).toEqual([true, '2026-10-25T02:00']);
    expect(shown([window('0 2 * * *', 2, 'Europe/Rome')], '2026-03-29T01:30Z')).toEqual([true, '2026-03-29T03:00']);
  });
});

test('it is under way exactly when some window is open, and says when that changes next', () => {
  const one = fc.record({
    schedule: fc.constantFrom('0 3 * * *', '30 2 * * 0', '*/15 1-3 * * *', '0 2 1 * *', '45 23 * * 6'),
    timezone: fc.constantFrom('UTC', 'Europe/Rome', 'Australia/Lord_Howe'),
    duration_ms: fc.integer({ min: 1, max: 30 * 60 }).map((minutes) => minutes * MINUTE_MS),
  });
  const moment = fc
    .tuple(fc.constantFrom('2026-03-28', '2026-10-24', '2026-11-21'), fc.integer({ min: 0, max: 4 * 24 * 60 }))
    .map(([day, minutes]) => at(`${day}T00:00Z`) + minutes * MINUTE_MS);
  const isOpen = (windows: Parameters<typeof maintenanceAt>[0], now: number) =>
    windows.some(({ schedule, timezone, duration_ms }) => {
      const start = occurrences(schedule, timezone).after(now - duration_ms);
      return start !== null && start <= now;
    });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 3 }), moment, (windows, now) => {
      const { under_way, next_ms } = maintenanceAt(windows, now);
      expect(under_way).toBe(isOpen(windows, now));
      if (next_ms === null) {
        // Two days at least, as far as anybody looks.
        expect(windows.length === 0 || under_way).toBe(true);
        return;
      }
      expect(next_ms).toBeGreaterThan(now);
      expect(isOpen(windows, next_ms)).toBe(!under_way);
      for (let between = now; between < Math.min(next_ms, now + 48 * HOUR_MS); between += 7 * MINUTE_MS) {
        expect(isOpen(windows, between)).toBe(under_way);
      }
    }),
    { numRuns: 100 },
  );
});
