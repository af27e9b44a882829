import { type Command, InvalidArgumentError } from 'commander';
import { parseSince } from '../api/since.ts';

/** The options of a command about what is stored of some time. */
export interface RangeFlags {
  since: string;
  until?: string;
}

const moment = (text: string): string => {
  if (parseSince(text, 0) !== null) return text;
  throw new InvalidArgumentError('Expected a time such as 2026-11-22T02:00:00Z, or how far back, such as 24h.');
};

/** Adds the options of RangeFlags. */
export const takesRange = (command: Command): Command =>
  command
    .requiredOption('--since <time>', 'runs that ended since then: 2026-11-22T02:00:00Z, or how far back: 24h', moment)
    .option('--until <time>', 'and before then; now unless given', moment);

/** Each page in turn, from the first to the last. */
export async function* pages<P extends { next: string | null }>(
  ask: (after: string | undefined) => Promise<P>,
): AsyncGenerator<P> {
  let page = await ask(undefined);
  yield page;
  while (page.next !== null) {
    page = await ask(page.next);
    yield page;
  }
}
