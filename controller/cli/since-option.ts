import { InvalidArgumentError } from 'commander';
import { parseSince } from '../api/since.ts';

/** A time as somebody typed it, for the controller to read. */
export const since = (text: string): string => {
  if (parseSince(text, 0) !== null) return text;
  throw new InvalidArgumentError('Expected a time such as 2026-11-22T02:00:00Z, or how far back, such as 24h.');
};
