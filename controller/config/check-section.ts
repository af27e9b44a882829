import { anything, duration, flag, oneOf, optional, rate, volume, wholeNumber } from './leaf.ts';
import type { Path } from './problem.ts';
import type { Reader, Values } from './reader.ts';
import { schedule, timezone } from './schedule-leaf.ts';
import type { CheckSettings, OrganizationSettings, TagCheck } from './settings.ts';
import { DEFAULT_TESTS, readTests } from './tests-list.ts';

const HOUR_MS = 3_600_000;

/** A schedule comes once a minute at most. */
const MAX_RUNS_PER_DAY = 1440;

const FIELDS = {
  enabled: optional(flag),
  schedule: optional(schedule),
  timezone: optional(timezone),
  window: optional(duration(1000, 7 * 24 * HOUR_MS)),
  tests: optional(anything),
  retries: optional(wholeNumber('how often to try again', 0, 10)),
  backoff: optional(duration(1000, HOUR_MS)),
  priority: optional(wholeNumber('the weight', 1, 100)),
  max_runs_per_day: optional(wholeNumber('how many runs', 1, MAX_RUNS_PER_DAY)),
  spread: optional(oneOf('pack', 'even')),
  monthly_budget: optional(volume(1e6, 1e14)),
  max_cross_traffic: optional(rate),
};

const FIELDS_WITH_TAGS = { ...FIELDS, tags: optional(anything) };

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

/** What a mapping says itself about a check: an absent key is not there, an explicit null is the built-in default. */
const readChanges = (reader: Reader, path: Path, given: Values<typeof FIELDS>): Partial<CheckSettings> => {
  const { tests } = given;
  const changes: Partial<CheckSettings> = {};
  const put = <K extends keyof CheckSettings>(key: K, value: CheckSettings[K] | null | undefined): void => {
    if (value !== undefined) changes[key] = value ?? DEFAULT_CHECK[key];
  };
  put('enabled', given.enabled);
  put('schedule', given.schedule);
  put('timezone', given.timezone);
  put('window_ms', given.window);
  put('tests', tests === undefined || tests === null ? tests : readTests(reader, [...path, 'tests'], tests));
  put('retries', given.retries);
  put('backoff_ms', given.backoff);
  put('priority', given.priority);
  put('max_runs_per_day', given.max_runs_per_day);
  put('spread', given.spread);
  put('monthly_budget', given.monthly_budget);
  put('max_cross_traffic', given.max_cross_traffic);
  return changes;
};

/** `tags` of a check, on top of those for everybody: a tag that is in both keeps its place. A tag that is null changes nothing any more. */
const readTags = (reader: Reader, path: Path, raw: unknown, inherited: readonly TagCheck[]): TagCheck[] => {
  const merged = new Map(inherited.map(({ tag, check }) => [tag, check]));
  for (const [tag, entry] of reader.entries(path, raw, 'tags')) {
    const changes = readChanges(reader, [...path, tag], reader.fields([...path, tag], entry, FIELDS));
    merged.set(tag, entry === null ? {} : { ...merged.get(tag), ...changes });
  }
  return [...merged].map(([tag, check]) => ({ tag, check }));
};

/** `check`, for everybody or in an organization; what it leaves out comes from `inherited`, key by key and tag by tag. */
export const readCheck = (
  reader: Reader,
  path: Path,
  raw: unknown,
  inherited: Pick<OrganizationSettings, 'check' | 'tags'>,
): Pick<OrganizationSettings, 'check' | 'tags'> => {
  const given = reader.fields(path, raw, FIELDS_WITH_TAGS);
  const known = given.tags === null ? [] : inherited.tags;
  return {
    check: { ...inherited.check, ...readChanges(reader, path, given) },
    tags: readTags(reader, [...path, 'tags'], given.tags, known),
  };
};
