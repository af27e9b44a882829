import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { runKills } from '../kills/kills.ts';
import { Random } from '../simulation/random.ts';

const SEED = Math.floor(Math.random() * 2 ** 31);

it(`a controller that is killed at any moment loses no result and no alert, and every point is in InfluxDB once (seed ${SEED})`, async () => {
  const perfleet = join(inject('programs'), 'perfleet.js');
  const killed = await runKills({ times: 12, perfleet, random: new Random(SEED), say: () => {} });
  expect(killed).toMatchObject({ missing: [], strange: [], lost: [], points: 4 * killed.results });
  expect(killed).toMatchObject({ untold: [], doubled: [], disordered: [] });
  expect(killed.notices).toBeGreaterThan(killed.results);
}, 120_000);
