import { createHash, timingSafeEqual } from 'node:crypto';

const PASSWORD_BYTES = 24;
const SCHEME = 'sha256';

/** A new device password, 192 random bits as 32 letters, digits, "-" and "_". */
export const newPassword = (randomBytes: (size: number) => Buffer): string =>
  randomBytes(PASSWORD_BYTES).toString('base64url');

const digest = (password: string | Buffer, salt: Buffer): Buffer =>
  createHash('sha256').update(salt).update(password).digest();

/**
 * Salted SHA-256, as `sha256$salt$hash`. Deliberately fast: passwords are generated and have 192 bits, which nobody guesses
 * however fast the hash is, while a slow hash would let 10,000 routers that reconnect at once stall the broker for minutes.
 */
export const hashPassword = (password: string | Buffer, salt: Buffer): string =>
  [SCHEME, salt.toString('base64url'), digest(password, salt).toString('base64url')].join('$');

const DUMMY = hashPassword('', Buffer.alloc(16));

/** Whether `password` belongs to `hash`. Takes as long for an unknown device (`hash` null), for which it is always false. */
export const verifyPassword = (password: Buffer, hash: string | null): boolean => {
  const [scheme, salt = '', expected = ''] = (hash ?? DUMMY).split('$');
  const actual = digest(password, Buffer.from(salt, 'base64url'));
  const stored = Buffer.from(expected, 'base64url');
  if (scheme !== SCHEME || stored.length !== actual.length) return false;
  return timingSafeEqual(actual, stored) && hash !== null;
};
