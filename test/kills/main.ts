import { parseArgs } from 'node:util';
import { Random } from '../simulation/random.ts';
import { runKills } from './kills.ts';
import { runSshKills } from './ssh-kills.ts';

/*
 * `npm run kills -- [ssh] [--times N] [--seed S]`: kills a controller again and again while results come and points go, and compares
 * what is left, and what receivers of alerts were told. With `ssh`, kills the controller, the connection or the SSH server of runs over SSH, and
 * looks for an iperf3 that is left. The exit code is 0 when nothing is missing, doubled, lost, out of order or left.
 */

const options = { times: { type: 'string' }, seed: { type: 'string' } } as const;
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const [what = 'controller'] = positionals;
const times = Number(values.times ?? (what === 'ssh' ? 100 : 200));
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const say = (line: string) => process.stderr.write(`${line}\n`);
const how = { times, perfleet: 'dist/perfleet.js', random: new Random(seed), say };

/** Prints what was found as one line of JSON, and the first of each list of what must not be. */
const report = (counts: object, bad: Record<string, readonly unknown[]>): void => {
  const found = Object.entries(bad);
  for (const [name, list] of found) for (const one of list.slice(0, 10)) say(`${name}: ${one}`);
  const numbers = Object.fromEntries(found.map(([name, list]) => [name, list.length]));
  process.stdout.write(`${JSON.stringify({ seed, ...counts, ...numbers })}\n`);
  process.exitCode = found.some(([, list]) => list.length > 0) ? 1 : 0;
};

const KILLS: Record<string, () => Promise<void>> = {
  async controller() {
    const { missing, strange, lost, untold, doubled, disordered, ...counts } = await runKills(how);
    report(counts, { missing, strange, lost, untold, doubled, disordered });
  },
  async ssh() {
    const { orphans, refused, ...counts } = await runSshKills(how);
    report(counts, { orphans, refused });
  },
};

const run = Object.hasOwn(KILLS, what) ? KILLS[what] : undefined;
if (run === undefined || positionals.length > 1 || !Number.isInteger(times) || times < 1 || !Number.isInteger(seed)) {
  say('usage: npm run kills -- [ssh] [--times N] [--seed S]');
  process.exitCode = 2;
} else {
  say(`${times} kills, seed ${seed}`);
  await run();
}
