import { z } from 'zod';
import { scheduleFault } from '../schedule/occurrences.ts';
import { didYouMean } from './did-you-mean.ts';
import { anything, duration, flag, type Leaf, optional, wholeNumber } from './leaf.ts';
import type { Path } from './problem.ts';
import type { Reader } from './reader.ts';
import type { CheckSettings } from './settings.ts';
import { DEFAULT_TESTS, readTests } from './tests-list.ts';

const HOUR_MS = 3_600_000;

const schedule: Leaf<string> = {
  expected: 'a cron expression with five fields, such as "0 2 * * *"',
  schema: z.string().refine((text) => scheduleFault(text) === undefined),
  hint: (found) => (typeof found === 'string' ? scheduleFault(found) : undefined),
};

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
};

const timezone: Leaf<string> = {
  expected: 'a time zone, such as Europe/Rome or UTC',
  schema: z.string().refine(isZone),
  hint: (found) => (typeof found === 'string' ? didYouMean(found, Intl.supportedValuesOf('timeZone')) : undefined),
};

const FIELDS = {
  enabled: optional(flag),
  schedule: optional(schedule),
  timezone: optional(timezone),
  window: optional(duration(1000, 7 * 24 * HOUR_MS)),
  tests: optional(anything),
  retries: optional(wholeNumber('how often to try again', 0, 10)),
};

/** Measuring loads the links of paying people: nothing is measured unless somebody switched it on. */
export const DEFAULT_CHECK: CheckSettings = {
  enabled: false,
  schedule: '0 2 * * *',
  timezone: 'UTC',
  window_ms: 5 * HOUR_MS,
  tests: [...DEFAULT_TESTS],
  retries: 2,
  backoff_ms: 30_000,
  priority: 10,
  max_runs_per_day: null,
  spread: 'pack',
  monthly_budget: null,
  max_cross_traffic: null,
};

/** An absent key takes `inherited`, an explicit null goes back to the built-in default. */
const either = <T>(given: T | null | undefined, inherited: T, builtIn: T): T =>
  given === undefined ? inherited : (given ?? builtIn);

/** `check`, for everybody or in an organization; what it leaves out comes from `inherited`, key by key. */
export const readCheck = (reader: Reader, path: Path, raw: unknown, inherited: CheckSettings): CheckSettings => {
  const given = reader.fields(path, raw, FIELDS);
  const plans =
    given.tests === undefined || given.tests === null
      ? given.tests
      : readTests(reader, [...path, 'tests'], given.tests);
  return {
    ...inherited,
    enabled: either(given.enabled, inherited.enabled, DEFAULT_CHECK.enabled),
    schedule: either(given.schedule, inherited.schedule, DEFAULT_CHECK.schedule),
    timezone: either(given.timezone, inherited.timezone, DEFAULT_CHECK.timezone),
    window_ms: either(given.window, inherited.window_ms, DEFAULT_CHECK.window_ms),
    tests: either(plans, inherited.tests, DEFAULT_CHECK.tests),
    retries: either(given.retries, inherited.retries, DEFAULT_CHECK.retries),
  };
};
