import { z } from 'zod';
import { scheduleFault } from '../schedule/occurrences.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Leaf } from './leaf.ts';

/** A cron expression that comes at least once more. */
export const schedule: Leaf<string> = {
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

export const timezone: Leaf<string> = {
  expected: 'a time zone, such as Europe/Rome or UTC',
  schema: z.string().refine(isZone),
  hint: (found) => (typeof found === 'string' ? didYouMean(found, Intl.supportedValuesOf('timeZone')) : undefined),
};
