import type { TestPlan } from '../../broker/contract/messages.ts';
import type { CheckSettings, OrganizationSettings } from '../../controller/config/settings.ts';
import type { NightsBetween } from './laws/record-laws.ts';
import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A time zone around one change of its clocks; what `Intl` knows is written down here by hand, as a second opinion. */
interface Zone {
  name: string;
  change: number;
  before_ms: number;
  after_ms: number;
}

const UTC: Zone = { name: 'UTC', change: Date.UTC(2026, 4, 4, 3), before_ms: 0, after_ms: 0 };
const ZONES: readonly Zone[] = [
  { name: 'Europe/Rome', change: Date.UTC(2026, 2, 29, 1), before_ms: HOUR_MS, after_ms: 2 * HOUR_MS },
  { name: 'Europe/Rome', change: Date.UTC(2026, 9, 25, 1), before_ms: 2 * HOUR_MS, after_ms: HOUR_MS },
  { name: 'Australia/Lord_Howe', change: Date.UTC(2026, 3, 4, 15), before_ms: 11 * HOUR_MS, after_ms: 10.5 * HOUR_MS },
];

/** A cron expression, and which minutes of a local day it means. */
interface Pattern {
  schedule: string;
  matches: (minute_of_day: number) => boolean;
}

const somePattern = (random: Random, around_minute: number): Pattern => {
  const kind = random.next();
  const every = [2, 3, 4, 5, 6, 10][random.whole(0, 5)] ?? 5;
  if (kind < 0.75) return { schedule: `*/${every} * * * *`, matches: (minute) => (minute % 60) % every === 0 };
  const at = (around_minute + random.whole(0, 3)) % 1440;
  const minute_of_hour = at % 60;
  if (kind < 0.9) return { schedule: `${minute_of_hour} * * * *`, matches: (minute) => minute % 60 === minute_of_hour };
  return { schedule: `${minute_of_hour} ${Math.floor(at / 60)} * * *`, matches: (minute) => minute === at };
};

/**
 * When the wall clock first shows a local time: times in the gap of spring are its end, of the two passes of autumn the first counts.
 * `local` is written as if it were UTC.
 */
const momentOf = (local: number, { change, before_ms, after_ms }: Zone): number =>
  local - before_ms < change ? local - before_ms : Math.max(change, local - after_ms);

const nightsOf =
  (pattern: Pattern, zone: Zone): NightsBetween =>
  (from, to) => {
    const nights = new Set<number>();
    const first = Math.floor((from + zone.before_ms - DAY_MS / 8) / MINUTE_MS);
    const last = Math.ceil((to + zone.before_ms + DAY_MS / 8) / MINUTE_MS);
    for (let minute = first; minute <= last; minute += 1) {
      if (!pattern.matches(((minute % 1440) + 1440) % 1440)) continue;
      const moment = momentOf(minute * MINUTE_MS, zone);
      if (moment > from && moment <= to) nights.add(moment);
    }
    return [...nights].sort((a, b) => a - b);
  };

/** An organization, and when the nights of its devices are by other means than the product's: null while their check is off. */
export interface Organization {
  settings: OrganizationSettings;
  nights: NightsBetween | null;
  /** Of those that have the tag. */
  tagged: { nights: NightsBetween | null; window_ms: number };
}

/** The tag that may change a check. */
export const TAG = 'lte';

export interface Calendar {
  organizations: Organization[];
  /** What the wall clock shows when the night of the simulation begins. */
  wall_ms: number;
}

export const someTest = (random: Random, index: number): TestPlan => ({
  test: `t${index}`,
  protocol: 'tcp',
  direction: random.chance(0.5) ? 'upload' : 'download',
  duration_s: random.whole(1, 8),
  omit_s: random.whole(0, 1),
  streams: 1,
  bitrate: null,
  length: null,
  window: null,
  congestion: null,
});

export const someTests = (random: Random): TestPlan[] =>
  Array.from({ length: random.whole(1, 2) }, (_, index) => someTest(random, index));

/** One to three organizations that share the servers, around one moment: an ordinary one, or a change of the clocks. */
export const someCalendar = (random: Random, servers: readonly string[]): Calendar => {
  const zone = random.chance(0.8) ? UTC : (ZONES[random.whole(0, ZONES.length - 1)] ?? UTC);
  const wall_ms = zone.change - random.whole(0, 10) * MINUTE_MS + random.whole(0, 59_999);
  const local = wall_ms + zone.before_ms;
  const around = Math.floor((((local % DAY_MS) + DAY_MS) % DAY_MS) / MINUTE_MS) + 1;
  // Organizations of one schedule are cheaper to plan, and as hard for the slots.
  let pattern = somePattern(random, around);
  const organizations = ['o1', 'o2', 'o3'].slice(0, random.whole(1, 3)).map((organization): Organization => {
    if (random.chance(0.3)) pattern = somePattern(random, around);
    const check: CheckSettings = {
      enabled: random.chance(0.9),
      schedule: pattern.schedule,
      timezone: zone.name,
      window_ms: random.whole(30, 300) * 1000,
      tests: someTests(random),
      retries: random.whole(0, 2),
      backoff_ms: random.whole(5, 30) * 1000,
      priority: random.whole(1, 20),
      max_runs_per_day: null,
      spread: random.chance(0.7) ? 'pack' : 'even',
      monthly_budget: null,
      max_cross_traffic: null,
    };
    const other = random.chance(0.5) ? pattern : somePattern(random, around);
    const change: Partial<CheckSettings> = random.chance(0.3)
      ? {
          schedule: other.schedule,
          window_ms: random.whole(30, 300) * 1000,
          enabled: random.chance(0.8),
          priority: random.whole(1, 20),
        }
      : {};
    const nights = (of: Pattern, enabled: boolean) => (enabled ? nightsOf(of, zone) : null);
    const isChanged = change.schedule !== undefined;
    return {
      settings: {
        organization,
        servers: random.shuffled(servers).slice(0, random.whole(1, servers.length)),
        check,
        tags: isChanged ? [{ tag: TAG, check: change }] : [],
      },
      nights: nights(pattern, check.enabled),
      tagged: {
        nights: nights(isChanged ? other : pattern, change.enabled ?? check.enabled),
        window_ms: change.window_ms ?? check.window_ms,
      },
    };
  });
  return { organizations, wall_ms };
};
