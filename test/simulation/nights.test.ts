import { expect, it } from 'vitest';
import { judge } from './judge.ts';
import { Tally } from './tally.ts';
import { Trace } from './trace.ts';

/** `FROM=5000 SEEDS=20000` for others than the first ones; `npm run simulate` takes all cores. A night takes about 10 ms. */
const { FROM = '1', SEEDS = '2000' } = process.env;

it(`keeps every law through ${SEEDS} nights of trouble`, { timeout: 3_600_000 }, () => {
  const tally = new Tally();
  for (let seed = Number(FROM); seed < Number(FROM) + Number(SEEDS); seed += 1) tally.add(judge({ seed }));
  expect(tally.broken.map(({ seed, message }) => `npm run simulate -- --seed ${seed} --trace: ${message}`)).toEqual([]);
  // Nights in which nothing happens prove nothing: every way to end has been seen.
  if (tally.nights < 1000) return;
  const ways = new Set([...tally.outcomes.keys()].map((how) => how.replace(/:.*/, '')));
  expect([...ways].sort()).toEqual(['cancelled', 'failed', 'lost', 'missed', 'skipped', 'success']);
});

it('replays a seed exactly, and another one differs', () => {
  const traceOf = (seed: number): string => {
    const trace = new Trace('hash');
    judge({ seed, trace });
    return trace.hash;
  };
  for (let seed = 1; seed <= 20; seed += 1) expect(traceOf(seed)).toBe(traceOf(seed));
  expect(traceOf(1)).not.toBe(traceOf(2));
});
