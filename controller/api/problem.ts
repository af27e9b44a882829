import { z } from 'zod';

/** Every error of the API: what went wrong, and what to do. */
export const Problem = z.object({
  error: z.enum([
    'bad-request',
    'unauthorized',
    'not-found',
    'conflict',
    'too-large',
    'internal',
    'unavailable',
    'store',
  ]),
  message: z.string(),
  problems: z.array(z.string()).default([]),
});
export type Problem = z.infer<typeof Problem>;
