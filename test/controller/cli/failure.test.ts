import { expect, it } from 'vitest';
import { messageOf } from '../../../controller/cli/failure.ts';

it('whatever is thrown has a message', () => {
  expect(messageOf(new Error('the disk is full'))).toBe('the disk is full');
  expect(messageOf('the disk is full')).toBe('the disk is full');
});
