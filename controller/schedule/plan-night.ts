import type { TestPlan } from '../../broker/contract/messages.ts';
import type { CheckSettings, OrganizationSettings } from '../config/settings.ts';
import { leaseMs } from '../slots/plan-length.ts';
import { checksOf, isScheduled } from './check-of.ts';
import {
  HISTORY_REACH_MS,
  type NightMark,
  nightKey,
  plannedUpTo,
  type Timetable,
  timetableKey,
  timetablesOf,
} from './night.ts';
import { occurrences } from './occurrences.ts';
import { shuffled } from './shuffle.ts';

/*
 * A night belongs to an organization and a timetable: schedule and time zone. It begins at an occurrence, for all devices whose check has that
 * timetable then. For a device it ends with the window of its own check, or when the next night of the timetable begins if that is earlier. The
 * history (`done`) says up to when the nights of each timetable are planned; nights only move forward from there:
 *
 *   begun, still open      → due: every device, once
 *   begun, already over    → missed: the controller was down, or the clock jumped
 *   not later than history → nothing, even when the clock goes back and the night comes again
 *   check not enabled      → passed over, and never made up for
 *
 * Invariant: with `planned` and `gone` written to the history after each call, each night is due or missed exactly once for each device.
 */

/** What planning needs to know of a device. */
export interface PlannedDevice {
  device: string;
  organization: string;
  tags: readonly string[];
}

/** One device's turn in one night. Moments are milliseconds since 1970. `tests` is shared between the devices of a check. */
export interface DueRun {
  organization: string;
  night: string;
  device: string;
  tests: TestPlan[];
  requested_at_ms: number;
  /** Later than the night's begin when its check is spread over the window. */
  not_before_ms: number;
  window_end_ms: number;
}

export interface NightPlan {
  due: DueRun[];
  /** Of nights that nobody was there for: each gets the outcome `missed`. */
  missed: DueRun[];
  /** To be written to the history, in one transaction with the runs. */
  planned: NightMark[];
  /** To be taken out of the history: of timetables and organizations that left the configuration. */
  gone: NightMark[];
  /** How far the history is ahead of the clock, when the clock went back: until then nights that were planned once do not come again. */
  ahead_ms: number;
  /** When the next night of anybody begins; null when none ever does. */
  next_wake_ms: number | null;
}

interface Night {
  start: number;
  /** When the next one begins; Infinity when there is none. */
  next: number;
}

/** The nights that began after `from` and not after `now`, oldest first. */
const nightsBetween = ({ schedule, timezone }: Timetable, from: number, now: number): Night[] => {
  const { after } = occurrences(schedule, timezone);
  const nights: Night[] = [];
  let start = after(from);
  while (start !== null && start <= now) {
    const next = after(start);
    nights.push({ start, next: next ?? Number.POSITIVE_INFINITY });
    start = next;
  }
  return nights;
};

interface Member {
  device: string;
  check: CheckSettings;
}

/** Names a timetable of an organization; no name of an organization has a space. */
const groupKey = (organization: string, timetable: Timetable): string => `${organization} ${timetableKey(timetable)}`;

type Devices = ReadonlyMap<string, readonly PlannedDevice[]>;

const byOrganization = (devices: readonly PlannedDevice[]): Devices => {
  const groups = new Map<string, PlannedDevice[]>();
  for (const device of devices) {
    const group = groups.get(device.organization);
    if (group === undefined) groups.set(device.organization, [device]);
    else group.push(device);
  }
  return groups;
};

/** Who is measured: the devices of an organization with an enabled check that has this timetable. */
const membersOf = (
  settings: OrganizationSettings,
  { schedule, timezone }: Timetable,
  devices: readonly PlannedDevice[],
): Member[] => {
  const checkFor = checksOf(settings);
  const members: Member[] = [];
  for (const { device, tags } of devices) {
    const check = checkFor(tags);
    if (check.enabled && check.schedule === schedule && check.timezone === timezone) members.push({ device, check });
  }
  return members;
};

/** What is left of the window when a run begins that takes as long as it may. */
const slackOf = (check: CheckSettings, length_ms: number): number =>
  check.spread === 'even' ? Math.max(0, length_ms - leaseMs(check.tests)) : 0;

/** One night's run of each device of `group`, in the night's order. */
const runsOf = (organization: string, { start, next }: Night, group: readonly Member[]): DueRun[] => {
  const night = nightKey(organization, start);
  return shuffled(group, night).map(({ device, check }, place) => {
    const window_end_ms = Math.min(start + check.window_ms, next);
    const not_before_ms = start + Math.floor((slackOf(check, window_end_ms - start) * place) / group.length);
    return { organization, night, device, tests: check.tests, requested_at_ms: start, not_before_ms, window_end_ms };
  });
};

const marksByOrganization = (done: readonly NightMark[]): Map<string, NightMark[]> => {
  const marks = new Map<string, NightMark[]>();
  for (const mark of done) marks.set(mark.organization, [...(marks.get(mark.organization) ?? []), mark]);
  return marks;
};

/** No window is open for longer than this. */
const longestWindow = ({ check, tags }: OrganizationSettings): number =>
  Math.max(check.window_ms, ...tags.map((change) => change.check.window_ms ?? 0));

/**
 * Which runs are due now. Call it at the start, at `next_wake_ms`, and after a change of settings, devices or clock; a call too many
 * does nothing. An organization without history joins the night that is open; a device that is added joins the next night, and one that gets
 * another timetable the next night of that. `devices` is asked only when a night has begun. Devices of organizations that are not in the
 * configuration have no check, and no runs.
 */
export const planNight = ({
  organizations,
  devices,
  done,
  now_ms,
}: {
  organizations: ReadonlyMap<string, OrganizationSettings>;
  devices: () => readonly PlannedDevice[];
  done: readonly NightMark[];
  now_ms: number;
}): NightPlan => {
  const plan: NightPlan = { due: [], missed: [], planned: [], gone: [], ahead_ms: 0, next_wake_ms: null };
  const history = new Map(done.map((mark) => [groupKey(mark.organization, mark), mark]));
  const marks = marksByOrganization(done);
  let fleet: Devices | null = null;
  for (const settings of organizations.values()) {
    const { organization } = settings;
    const known = marks.get(organization) ?? [];
    for (const timetable of timetablesOf(settings)) {
      const next = occurrences(timetable.schedule, timetable.timezone).after(now_ms);
      if (next !== null) plan.next_wake_ms = Math.min(next, plan.next_wake_ms ?? next);
      const upTo = plannedUpTo(timetable, known, now_ms);
      const from = upTo === null ? now_ms - longestWindow(settings) : Math.max(upTo, now_ms - HISTORY_REACH_MS);
      const nights = nightsBetween(timetable, from, now_ms);
      // From the first sight on, so that a first night that nobody was there for is known to be missed; but not while nothing is measured.
      const start_ms = nights.at(-1)?.start ?? upTo ?? (isScheduled(settings) ? now_ms : null);
      const key = groupKey(organization, timetable);
      if (start_ms !== null && start_ms !== history.get(key)?.start_ms)
        plan.planned.push({ organization, ...timetable, start_ms });
      history.delete(key);
      if (upTo !== null) plan.ahead_ms = Math.max(plan.ahead_ms, upTo - now_ms);
      if (nights.length === 0) continue;
      fleet ??= byOrganization(devices());
      const members = membersOf(settings, timetable, fleet.get(organization) ?? []);
      for (const night of nights) {
        for (const run of runsOf(organization, night, members)) {
          if (now_ms < run.window_end_ms) plan.due.push(run);
          else if (upTo !== null) plan.missed.push(run);
        }
      }
    }
  }
  plan.gone.push(...history.values());
  return plan;
};
