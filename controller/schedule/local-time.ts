const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * A time zone as one line of local time, which never goes back. "Local" is what the wall clock shows, written down as if it were
 * UTC, in milliseconds. When clocks go forward the local times in the gap all fall on its end; when they go back, the first pass
 * counts and the second is not there. So each local time has exactly one moment, and later local times never have an earlier one.
 */
export interface LocalTime {
  /** The first moment at which the wall clock shows `local` or later. */
  momentOf(local: number): number;
  /** The latest time that the wall clock has shown up to `moment`. */
  latestShown(moment: number): number;
}

/** Made once each: an `Intl.DateTimeFormat` takes long to make. */
const made = new Map<string, LocalTime>();

/** The zone's rules come with Node.js. @throws RangeError for an unknown zone. */
export const localTime = (timezone: string): LocalTime => {
  const known = made.get(timezone) ?? makeLocalTime(timezone);
  made.set(timezone, known);
  return known;
};

const makeLocalTime = (timezone: string): LocalTime => {
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  /** What the wall clock is ahead of UTC at `moment`. */
  const offsetAt = (moment: number): number => {
    const second = Math.floor(moment / 1000) * 1000;
    const part: Record<string, number> = {};
    for (const { type, value } of clock.formatToParts(second)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: seconds = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
  };
  /** The moment between `from` and `to` at which the offset changes. */
  const changeBetween = (from: number, to: number): number => {
    const before = offsetAt(from);
    let early = from;
    let late = to;
    while (late - early > 1) {
      const middle = Math.floor((early + late) / 2);
      if (offsetAt(middle) === before) early = middle;
      else late = middle;
    }
    return late;
  };
  return {
    momentOf: (local) => {
      const from = local - DAY_MS;
      const to = local + DAY_MS;
      const before = offsetAt(from);
      const after = offsetAt(to);
      if (before === after) return local - before;
      const change = changeBetween(from, to);
      return local - before < change ? local - before : Math.max(change, local - after);
    },
    latestShown: (moment) => {
      const now = offsetAt(moment);
      const before = offsetAt(moment - DAY_MS);
      if (before <= now) return moment + now;
      return Math.max(moment + now, changeBetween(moment - DAY_MS, moment) - 1 + before);
    },
  };
};
