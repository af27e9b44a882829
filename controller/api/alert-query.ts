import { z } from 'zod';
import { listLimit } from './list-limit.ts';
import type { AlertFilter } from './service.ts';

/** The query of `GET /alerts`: `all=true` for those that were resolved too, and how many. */
export const alertQuery = z
  .strictObject({ all: z.enum(['true', 'false']).default('false'), limit: listLimit })
  .transform(({ all, limit }): AlertFilter => ({ all: all === 'true', limit }));
