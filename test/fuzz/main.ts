import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { readTest } from '../../controller/results/read-test.ts';
import { anything, damaged, type FuzzInput, hostile, resultWith } from './inputs.ts';
import { unsound } from './soundness.ts';

const USAGE = `usage: npm run fuzz -- [--inputs N] [--seed S] [--json]

Reads real iperf3 output that was damaged at random, arbitrary text, and large texts that are meant to take long.

  --inputs N   so many (10000); one of a hundred has a MiB
  --seed S     of the first thousand; those that follow have the next seeds (1)
  --json       the figures for machines

Exit code 0 when nothing was thrown and every reading makes sense, 1 otherwise.
`;

const MIB = 1024 * 1024;
/** The promise: no text takes longer than this per MiB. */
const PROMISED_MS = 50;
const BATCH = 1000;

const small = resultWith(
  fc.oneof(
    { weight: 6, arbitrary: damaged },
    { weight: 1, arbitrary: anything },
    { weight: 1, arbitrary: hostile(2000) },
  ),
);
const large = resultWith(hostile(MIB));
const input = fc.oneof({ weight: 99, arbitrary: small }, { weight: 1, arbitrary: large });

interface Figures {
  inputs: number;
  large: number;
  throws: number;
  unsound: number;
  measured: number;
  /** Per MiB, of the large ones; the best of three readings, as the machine does other things, too. */
  worst_ms: number;
  worst_begins: string;
}

const timed = ({ result, plan }: FuzzInput): number => {
  const begin = performance.now();
  readTest(result, plan);
  return ((performance.now() - begin) * MIB) / result.stdout.length;
};

const readOne = (one: FuzzInput, figures: Figures): void => {
  const { stdout } = one.result;
  figures.inputs++;
  try {
    const reading = readTest(one.result, one.plan);
    if (reading.ok) figures.measured++;
    const problem = unsound(reading);
    if (problem === null) return;
    figures.unsound++;
    process.stderr.write(`${problem}: ${JSON.stringify(one).slice(0, 2000)}\n`);
  } catch (error) {
    figures.throws++;
    process.stderr.write(`${String(error)}: ${JSON.stringify(one).slice(0, 2000)}\n`);
  } finally {
    if (stdout.length >= MIB) {
      figures.large++;
      const ms = Math.min(timed(one), timed(one), timed(one));
      if (ms > figures.worst_ms) Object.assign(figures, { worst_ms: ms, worst_begins: stdout.slice(0, 100) });
    }
  }
};

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
if (values.help || !Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const figures: Figures = { inputs: 0, large: 0, throws: 0, unsound: 0, measured: 0, worst_ms: 0, worst_begins: '' };
  for (let done = 0; done < inputs; done += BATCH) {
    const numRuns = Math.min(BATCH, inputs - done);
    for (const one of fc.sample(input, { numRuns, seed: seed + done / BATCH })) readOne(one, figures);
  }
  const { large: mibs, throws, unsound: odd, measured, worst_ms, worst_begins } = figures;
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else {
    process.stdout.write(
      `${figures.inputs} inputs: ${throws} throws, ${odd} readings that make no sense, ${measured} with measurements\n` +
        `${mibs} of a MiB, the slowest ${worst_ms.toFixed(1)} ms per MiB${worst_ms > PROMISED_MS ? `: MISSED, promised are ${PROMISED_MS}` : ''}: ${JSON.stringify(worst_begins)}\n`,
    );
  }
  process.exitCode = throws + odd > 0 ? 1 : 0;
}
