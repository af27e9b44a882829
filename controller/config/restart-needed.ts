import { isDeepStrictEqual } from 'node:util';
import type { Settings } from './settings.ts';

/** Sections that are read only at the start. */
const FIXED = ['broker', 'http', 'store', 'influx'] as const;

/** Says of each section that differs and that a reload can't change that it stays as it was until a restart. */
export const restartNeeded = (before: Settings, after: Settings): string[] =>
  FIXED.filter((section) => !isDeepStrictEqual(before[section], after[section])).map(
    (section) => `${section} has changed: that takes effect when the controller is restarted`,
  );
