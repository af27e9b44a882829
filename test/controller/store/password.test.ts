import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashPassword, newPassword, verifyPassword } from '../../../controller/store/password.ts';

test('a new password is 32 characters that need no quoting anywhere', () => {
  expect(newPassword(randomBytes)).toMatch(/^[A-Za-z0-9_-]{32}$/);
  expect(newPassword(randomBytes)).not.toBe(newPassword(randomBytes));
});

test('a password is right for its own hash only', () => {
  const hash = hashPassword('secret', randomBytes(16));
  expect(verifyPassword(Buffer.from('secret'), hash)).toBe(true);
  expect(verifyPassword(Buffer.from('Secret'), hash)).toBe(false);
  expect(verifyPassword(Buffer.from(''), hash)).toBe(false);
});

test('the hash does not contain the password, and differs with the salt', () => {
  const hash = hashPassword('secret', Buffer.alloc(16, 1));
  expect(hash).not.toContain('secret');
  expect(hash).not.toBe(hashPassword('secret', Buffer.alloc(16, 2)));
});

test('no password is right for an unknown device, not even that of the hash which is compared instead', () => {
  expect(verifyPassword(Buffer.from(''), null)).toBe(false);
  expect(verifyPassword(Buffer.from('secret'), null)).toBe(false);
});

test.each(['', 'sha256', 'sha256$$', 'md5$AAAA$AAAA', `other${hashPassword('', Buffer.alloc(16)).slice(6)}`])(
  'no password is right for the damaged hash "%s"',
  (hash) => {
    expect(verifyPassword(Buffer.from(''), hash)).toBe(false);
  },
);
