import { describe, expect, it } from 'vitest';
import { BROKEN_PROMISES } from './broken-promises.ts';
import { judge } from './judge.ts';

/** A world without a promise must be found out within so many nights. */
const MOST_SEEDS = 1500;

describe('a world in which', () => {
  it.each(BROKEN_PROMISES)('$what ($rule) breaks a law', { timeout: 120_000 }, ({ promise, laws, character, what }) => {
    for (let seed = 1; seed <= MOST_SEEDS; seed += 1) {
      const verdict = judge({ seed, broken: promise, character });
      if (verdict.ok || !laws.some((law) => law === verdict.law)) continue;
      // It is the promise that was missed, and nothing else.
      expect(judge({ seed, character })).toMatchObject({ seed, ok: true });
      process.stderr.write(`${promise}: found by seed ${seed}, ${verdict.message}\n`);
      return;
    }
    expect.fail(`nothing was found in ${MOST_SEEDS} nights: ${what}`);
  });
});

it.each(BROKEN_PROMISES)('in such nights nothing is wrong while the promise is kept: $promise', ({ character }) => {
  for (let seed = 1; seed <= 5; seed += 1) expect(judge({ seed, character })).toMatchObject({ seed, ok: true });
});
