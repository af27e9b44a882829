import { z } from 'zod';

/** The query of `GET /alerts`: `all=true` for those that were resolved too. */
export const alertQuery = z
  .strictObject({ all: z.enum(['true', 'false']).default('false') })
  .transform(({ all }) => ({ all: all === 'true' }));
