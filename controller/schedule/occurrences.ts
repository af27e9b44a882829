import { Cron } from 'croner';
import { localTime } from './local-time.ts';

/**
 * A cron expression on a line of time without daylight saving. croner's own time zones are not used: within the repeated hour of
 * autumn `nextRun` of croner 10 gives a moment in the past, and at Lord Howe's half-hour change the second pass.
 */
const cronOf = (schedule: string): Cron => new Cron(schedule, { mode: '5-part', utcOffset: 0 });

/** What is wrong with a cron expression, in words; undefined when it is fine. */
export const scheduleFault = (schedule: string): string | undefined => {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5)
    return `it has ${fields.length === 1 ? '1 field' : `${fields.length} fields`}: minute, hour, day of month, month, day of week`;
  try {
    return cronOf(schedule).nextRun(new Date(0)) === null ? 'it never comes' : undefined;
  } catch (error) {
    return (error as Error).message.replace(/^CronPattern: /, '');
  }
};

/** The moments at which a schedule comes, in milliseconds since 1970. */
export interface Occurrences {
  /** The first one later than `moment`, null when there is none. */
  after(moment: number): number | null;
}

/** Made once each: settings name few of them, and they are asked for often. */
const made = new Map<string, Occurrences>();

/** @throws for a schedule or a zone that is not valid; settings have both checked. */
export const occurrences = (schedule: string, timezone: string): Occurrences => {
  const name = `${schedule} ${timezone}`;
  const known = made.get(name) ?? makeOccurrences(schedule, timezone);
  made.set(name, known);
  return known;
};

const makeOccurrences = (schedule: string, timezone: string): Occurrences => {
  const cron = cronOf(schedule);
  const zone = localTime(timezone);
  const following = (moment: number): number | null => {
    // The line of cron has a resolution of one second, and times in a gap share a moment: go on until it is later.
    let local: Date | null = new Date(Math.floor(zone.latestShown(moment) / 1000) * 1000);
    do {
      local = cron.nextRun(local);
      if (local === null) return null;
    } while (zone.momentOf(local.getTime()) <= moment);
    return zone.momentOf(local.getTime());
  };
  // An answer is good for all moments from the one that was asked for up to it: looking at the clock every minute costs nothing.
  let last: { asked: number; answer: number | null } | null = null;
  return {
    after: (moment) => {
      if (last === null || moment < last.asked || (last.answer !== null && moment >= last.answer)) {
        last = { asked: moment, answer: following(moment) };
      }
      return last.answer;
    },
  };
};
