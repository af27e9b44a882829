import type { Problem } from './problem.ts';

/** Why there is no answer: the message says what went wrong and what to do. */
export const refusal = (
  error: Problem['error'],
  message: string,
  problems: string[] = [],
): { ok: false; problem: Problem } => ({ ok: false, problem: { error, message, problems } });
