import { isDeepStrictEqual } from 'node:util';
import type { Settings } from './settings.ts';

/** Sections that are read only at the start. */
const FIXED = ['broker', 'http', 'store', 'influx'] as const;

/** Which sections differ that a reload can't change: they stay as they were until the controller is restarted. */
export const restartNeeded = (before: Settings, after: Settings): string[] =>
  FIXED.filter((section) => !isDeepStrictEqual(before[section], after[section]));
