import { expect, test } from 'vitest';
import { leftOver } from '../../../controller/alerts/left-over.ts';

const LATER = { to: 'later@example.net', permanent: false, reason: '450' };
const OTHER = { ...LATER, to: 'other@example.net', reason: '451' };
const NOBODY = { to: 'nobody@example.net', permanent: true, reason: '550' };

test('who was refused for now is tried again in 5 minutes, who was refused for good is set aside', () => {
  expect(leftOver([LATER, NOBODY, OTHER], 0, 1000)).toEqual({
    refused: [NOBODY],
    later: { to: [LATER.to, OTHER.to], reason: '450; 451', not_before_ms: 301_000 },
  });
  expect(leftOver([NOBODY], 0, 1000)).toEqual({ refused: [NOBODY], later: null });
});

test('who was refused for now for a whole day is set aside', () => {
  expect(leftOver([LATER], 286, 0).later).not.toBeNull();
  expect(leftOver([LATER], 287, 0)).toEqual({ refused: [LATER], later: null });
});
