import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Whether an `Authorization` header carries `token`. Both are hashed first, so that the comparison takes equally long
 * for every wrong token, whatever its length. An empty token opens nothing.
 */
export const bearerMatches = (header: string | undefined, token: string): boolean => {
  const [, given] = header?.match(/^bearer +(\S+) *$/i) ?? [];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
};
