import { duration, optional, size } from './leaf.ts';
import type { Reader } from './reader.ts';
import type { RetentionSettings } from './settings.ts';

const DAY_MS = 86_400_000;
const MiB = 1024 ** 2;

/** A night, and the day on which people look at it, stay in any case. */
const SHORTEST_MS = 2 * DAY_MS;
const LONGEST_MS = 36_500 * DAY_MS;

/** A little more than a year, so that a month can be compared with that of the year before; a month of raw output. */
export const DEFAULT_RETENTION: RetentionSettings = {
  runs_ms: 400 * DAY_MS,
  raw_ms: 30 * DAY_MS,
  raw_bytes: 1024 * MiB,
};

/** `retention`: how long the store keeps what. */
export const readRetention = (reader: Reader, raw: unknown): RetentionSettings => {
  const given = reader.fields(['retention'], raw, {
    runs: optional(duration(SHORTEST_MS, LONGEST_MS)),
    raw: optional(duration(0, LONGEST_MS)),
    raw_size: optional(size(0, 1024 ** 4)),
  });
  return {
    runs_ms: given.runs ?? DEFAULT_RETENTION.runs_ms,
    raw_ms: given.raw ?? DEFAULT_RETENTION.raw_ms,
    raw_bytes: given.raw_size ?? DEFAULT_RETENTION.raw_bytes,
  };
};
