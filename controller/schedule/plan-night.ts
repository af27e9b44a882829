import type { TestPlan } from '../../broker/contract/messages.ts';
import type { OrganizationSettings } from '../config/settings.ts';
import { nightKey, nightStart } from './night.ts';
import { type Occurrences, occurrences } from './occurrences.ts';
import { shuffled } from './shuffle.ts';

/*
 * A night of an organization begins at an occurrence of its schedule. It ends with its window, or when the next night begins if that
 * is earlier. The history (`done`) holds the last night of each organization; nights only move forward from there:
 *
 *   begun, still open      → due: every device of the organization, once
 *   begun, already over    → missed: the controller was down, or the clock jumped
 *   not later than history → nothing, even when the clock goes back and the night comes again
 *   check not enabled      → passed over, and never made up for
 *
 * Invariant: with `planned` written to the history after each call, each night is due or missed exactly once.
 */

/**
 * How far back nights are still reported as missed, and how far ahead of the clock the history is believed. A clock that once was
 * wrong by more than this does not keep the fleet from being measured.
 */
export const HISTORY_REACH_MS = 7 * 86_400_000;

/** One device's turn in one night. Moments are milliseconds since 1970. */
export interface DueRun {
  organization: string;
  night: string;
  device: string;
  tests: TestPlan[];
  requested_at_ms: number;
  window_end_ms: number;
}

/** A night that nobody was there for: each of `devices` gets a run with the outcome `missed`. */
export interface MissedNight {
  organization: string;
  night: string;
  devices: string[];
  tests: TestPlan[];
  requested_at_ms: number;
  window_end_ms: number;
}

export interface NightPlan {
  due: DueRun[];
  missed: MissedNight[];
  /** To be written to the history, in one transaction with the runs. */
  planned: Map<string, string>;
  /** When the next night of anybody begins; null when none ever does. */
  next_wake_ms: number | null;
}

interface Night {
  start: number;
  end: number;
}

/** The nights that began after `from` and not after `now`, oldest first. */
const nightsBetween = (schedule: Occurrences, from: number, now: number, window_ms: number): Night[] => {
  const nights: Night[] = [];
  let start = schedule.after(from);
  while (start !== null && start <= now) {
    const next = schedule.after(start);
    nights.push({ start, end: Math.min(start + window_ms, next ?? Number.POSITIVE_INFINITY) });
    start = next;
  }
  return nights;
};

const devicesByOrganization = (devices: readonly { device: string; organization: string }[]): Map<string, string[]> => {
  const groups = new Map<string, string[]>();
  for (const { device, organization } of devices) {
    const group = groups.get(organization);
    if (group === undefined) groups.set(organization, [device]);
    else group.push(device);
  }
  return groups;
};

/** The start of the last night in the history; null when there is none, or none that can be believed. */
const lastNight = (done: ReadonlyMap<string, string>, organization: string, now: number): number | null => {
  const start = nightStart(done.get(organization) ?? '');
  return start !== null && start <= now + HISTORY_REACH_MS ? start : null;
};

/**
 * Which runs are due now. Call it at the start, at `next_wake_ms`, and after a change of settings, devices or clock; a call too many
 * does nothing. An organization without history joins the night that is open; a device that is added joins the next night.
 */
export const planNight = ({
  organizations,
  devices,
  done,
  now_ms,
}: {
  organizations: ReadonlyMap<string, OrganizationSettings>;
  devices: readonly { device: string; organization: string }[];
  done: ReadonlyMap<string, string>;
  now_ms: number;
}): NightPlan => {
  const plan: NightPlan = { due: [], missed: [], planned: new Map(), next_wake_ms: null };
  const groups = devicesByOrganization(devices);
  const schedules = new Map<string, Occurrences>();
  for (const { organization, check } of organizations.values()) {
    const name = `${check.schedule} ${check.timezone}`;
    const schedule = schedules.get(name) ?? occurrences(check.schedule, check.timezone);
    schedules.set(name, schedule);
    const next = schedule.after(now_ms);
    if (next !== null) plan.next_wake_ms = Math.min(next, plan.next_wake_ms ?? next);

    const last = lastNight(done, organization, now_ms);
    const from = last === null ? now_ms - check.window_ms : Math.max(last, now_ms - HISTORY_REACH_MS);
    for (const { start, end } of nightsBetween(schedule, from, now_ms, check.window_ms)) {
      const night = nightKey(organization, start);
      plan.planned.set(organization, night);
      const group = groups.get(organization);
      if (!check.enabled || group === undefined) continue;
      const about = { organization, night, requested_at_ms: start, window_end_ms: end };
      const order = shuffled(group, night);
      if (now_ms < end) for (const device of order) plan.due.push({ ...about, device, tests: check.tests });
      else if (last !== null) plan.missed.push({ ...about, devices: order, tests: check.tests });
    }
  }
  return plan;
};
