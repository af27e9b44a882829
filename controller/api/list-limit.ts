import { z } from 'zod';

/** How many runs or alerts are listed when nobody says … */
export const DEFAULT_LIMIT = 1000;

/** … and at most. */
const MAX_LIMIT = 10_000;

export const listLimit = z.coerce.number().pipe(z.int().min(1).max(MAX_LIMIT)).default(DEFAULT_LIMIT);

/** `true` in the answer when there are more than were asked for. */
export const MORE_HEADER = 'Perfleet-More';
