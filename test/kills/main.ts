import { parseArgs } from 'node:util';
import { Random } from '../simulation/random.ts';
import { runKills } from './kills.ts';

/*
 * `npm run kills -- [--times N] [--seed S]`: kills a controller again and again while results come and points go, and compares
 * what is left, and what receivers of alerts were told. The exit code is 0 when nothing is missing, doubled, lost or out of order.
 */

const { values } = parseArgs({ options: { times: { type: 'string' }, seed: { type: 'string' } } });
const times = Number(values.times ?? 200);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const say = (line: string) => process.stderr.write(`${line}\n`);

if (!Number.isInteger(times) || times < 1 || !Number.isInteger(seed)) {
  say('usage: npm run kills -- [--times N] [--seed S]');
  process.exitCode = 2;
} else {
  say(`${times} kills, seed ${seed}`);
  const { missing, strange, lost, untold, doubled, disordered, ...counts } = await runKills({
    ...{ times, perfleet: 'dist/perfleet.js', random: new Random(seed), say },
  });
  const faults = { missing, strange, lost, untold, doubled, disordered };
  for (const [what, list] of Object.entries(faults)) {
    for (const one of list.slice(0, 10)) say(`${what}: ${one}`);
  }
  const bad = Object.fromEntries(Object.entries(faults).map(([what, list]) => [what, list.length]));
  process.stdout.write(`${JSON.stringify({ seed, ...counts, ...bad })}\n`);
  process.exitCode = Object.values(bad).some((count) => count > 0) ? 1 : 0;
}
