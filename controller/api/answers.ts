import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import type { Problem } from './problem.ts';
import type { Answer } from './service.ts';

const STATUS: Record<Problem['error'], ContentfulStatusCode> = {
  'bad-request': 400,
  unauthorized: 401,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  internal: 500,
  unavailable: 503,
  store: 507,
};

/** The problem as JSON, with the HTTP status that belongs to it. */
export const refuse = (c: Context, problem: Problem): Response => c.json(problem, STATUS[problem.error]);

/** The value as JSON with `status`, or the problem with its own. */
export const reply = <T>(c: Context, answer: Answer<T>, status: 200 | 201 | 202 = 200): Response =>
  answer.ok ? c.json(answer.value, status) : refuse(c, answer.problem);

const problemOf = (what: string, error: z.ZodError): Problem => ({
  error: 'bad-request',
  message: `the ${what} of the request is not as expected`,
  problems: error.issues.map((issue) => `${issue.path.join('.') || what}: ${issue.message}`),
});

/** Parses the body of a request; what is wrong with it comes back all at once. Never throws for a bad body. */
export const parseBody = async <T>(c: Context, schema: z.ZodType<T>): Promise<Answer<T>> => {
  let data: unknown;
  try {
    data = JSON.parse(await c.req.text());
  } catch (error) {
    const message = `the body of the request is not JSON: ${(error as Error).message}`;
    return { ok: false, problem: { error: 'bad-request', message, problems: [] } };
  }
  const parsed = schema.safeParse(data);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problem: problemOf('body', parsed.error) };
};

/** The same for the query; a key that is not in the schema is refused. */
export const parseQuery = <T>(c: Context, schema: z.ZodType<T>): Answer<T> => {
  const parsed = schema.safeParse(c.req.query());
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problem: problemOf('query', parsed.error) };
};
