import { describe, expect, test } from 'vitest';
import { localTime } from '../../../controller/schedule/local-time.ts';
import { occurrences, scheduleFault } from '../../../controller/schedule/occurrences.ts';

const following = (schedule: string, timezone: string, from: string, count: number): string[] => {
  const { after } = occurrences(schedule, timezone);
  const moments: string[] = [];
  let moment: number | null = Date.parse(from);
  while (moments.length < count && moment !== null) {
    moment = after(moment);
    if (moment !== null) moments.push(new Date(moment).toISOString().slice(0, 16));
  }
  return moments;
};

describe('a schedule', () => {
  test.each([
    ['in UTC', '0 2 * * *', 'UTC', '2026-11-22T02:00Z', ['2026-11-23T02:00', '2026-11-24T02:00']],
    ['on working days', '0 2 * * 1-5', 'UTC', '2026-11-20T02:00Z', ['2026-11-23T02:00', '2026-11-24T02:00']],
    [
      'in a gap comes at its end',
      '30 2 * * *',
      'Europe/Rome',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:30'],
    ],
    [
      'often in a gap comes once at its end',
      '*/20 * * * *',
      'Europe/Rome',
      '2026-03-29T00:30Z',
      ['2026-03-29T00:40', '2026-03-29T01:00', '2026-03-29T01:20'],
    ],
    [
      'in a repeated hour comes in its first pass',
      '30 2 * * *',
      'Europe/Rome',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30'],
    ],
    ['in the second pass is over', '30 2 * * *', 'Europe/Rome', '2026-10-25T01:10Z', ['2026-10-26T01:30']],
    [
      'every half hour pauses in the second pass',
      '*/30 * * * *',
      'Europe/Rome',
      '2026-10-25T00:00Z',
      ['2026-10-25T00:30', '2026-10-25T02:00', '2026-10-25T02:30'],
    ],
    [
      'after the repeated hour is not shifted',
      '0 3 * * *',
      'Europe/Rome',
      '2026-10-25T00:30Z',
      ['2026-10-25T02:00', '2026-10-26T02:00'],
    ],
    [
      'in New York in spring',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T12:00Z',
      ['2026-03-08T07:00', '2026-03-09T06:30'],
    ],
    [
      'in New York in autumn',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T12:00Z',
      ['2026-11-01T05:30', '2026-11-02T06:30'],
    ],
    [
      'in a repeated half hour',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T00:00Z',
      ['2026-04-04T14:45', '2026-04-05T15:15'],
    ],
    [
      'in a gap of half an hour',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T00:00Z',
      ['2026-10-03T15:30', '2026-10-04T15:15'],
    ],
    [
      'at midnight where midnight is in the gap',
      '0 0 * * *',
      'America/Asuncion',
      '2023-09-30T12:00Z',
      ['2023-10-01T04:00', '2023-10-02T03:00'],
    ],
  ])('%s', (_, schedule, timezone, from, expected) => {
    expect(following(schedule, timezone, from, expected.length)).toEqual(expected);
  });

  test('is later than the moment asked for, to the millisecond', () => {
    const nightly = occurrences('0 2 * * *', 'UTC');
    const two = Date.parse('2026-11-22T02:00Z');
    expect(nightly.after(two - 1)).toBe(two);
    expect(nightly.after(two)).toBe(two + 86_400_000);
  });

  test('that does not come again gives null', () => {
    expect(occurrences('0 0 1 1 *', 'UTC').after(Date.parse('2999-06-01T00:00Z'))).toBeNull();
  });
});

test.each([
  ['0 2 * * *', undefined],
  ['*/5 0-4 * JAN-MAR MON#2', undefined],
  ['0 2 29 2 *', undefined],
  ['0 2 30 2 *', 'it never comes'],
  ['@daily', 'it has 1 field: minute, hour, day of month, month, day of week'],
  ['0 0 2 * * *', 'it has 6 fields: minute, hour, day of month, month, day of week'],
  ['60 2 * * *', 'Invalid value for minute: 60'],
])('the schedule %j has the fault %j', (schedule, fault) => expect(scheduleFault(schedule)).toBe(fault));

test('local time never goes back, and each one has the first moment that shows it', () => {
  for (const zone of ['Europe/Rome', 'America/New_York', 'Australia/Lord_Howe', 'UTC', 'Asia/Kathmandu']) {
    const { momentOf, latestShown } = localTime(zone);
    let before = Number.NEGATIVE_INFINITY;
    for (let moment = Date.parse('2026-01-01T00:00Z'); moment < Date.parse('2026-12-31T00:00Z'); moment += 5_000_000) {
      const shown = latestShown(moment);
      expect(shown).toBeGreaterThanOrEqual(before);
      expect(momentOf(shown)).toBeLessThanOrEqual(moment);
      before = shown;
    }
  }
});
