import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { refuse } from './answers.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** Of requests that carry thousands of devices, each with its host key. */
const MAX_DEVICES_BYTES = 16 * 1024 * 1024;

const LARGE = new Set(['/api/1/devices/check', '/api/1/devices/import']);

const limited = (maxSize: number): MiddlewareHandler =>
  bodyLimit({
    maxSize,
    onError: (c) => refuse(c, { error: 'too-large', message: `the body is over ${maxSize} bytes`, problems: [] }),
  });

/** Refuses a request that is larger than anything it can mean. */
export const limitedBodies = (): MiddlewareHandler => {
  const [small, large] = [limited(MAX_BODY_BYTES), limited(MAX_DEVICES_BYTES)];
  return (c, next) => (LARGE.has(c.req.path) ? large : small)(c, next);
};
