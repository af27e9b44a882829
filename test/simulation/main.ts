import { parseArgs } from 'node:util';
import { isMainThread, parentPort } from 'node:worker_threads';
import cliProgress from 'cli-progress';
import { BROKEN_PROMISES } from './broken-promises.ts';
import { judge } from './judge.ts';
import { type Batch, judgeAll } from './pool.ts';
import type { PromiseName } from './promises.ts';
import { Tally } from './tally.ts';
import { Trace } from './trace.ts';

const USAGE = `usage: npm run simulate -- [--seeds N] [--from N] [--break PROMISE] [--json]
       npm run simulate -- --seed N [--trace] [--break PROMISE]

Simulates nights of trouble around the real schedule, slots and agent core, and checks laws at every step.

  --seeds N         so many nights, one for each seed (10000)
  --from N          the first seed (1)
  --seed N          one night, exactly as it always is with this seed
  --trace           what happens in it, line by line
  --break PROMISE   in a world that does not keep this promise; a law must be found broken:
${BROKEN_PROMISES.map(({ promise, rule, what }) => `                      ${promise.padEnd(34)} ${rule.padEnd(9)} ${what}`).join('\n')}
  --json            the figures for machines
  --help            this

Exit code 0 when no law was broken, 1 when one was, 2 when the arguments make no sense, 130 after Ctrl-C.
`;

interface Arguments {
  from: number;
  count: number;
  one: boolean;
  trace: boolean;
  broken: PromiseName | null;
  json: boolean;
}

const wholeNumber = (text: string, least: number): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new Error(`${text} is no whole number from ${least}`);
  return value;
};

const promiseOf = (name: string): PromiseName => {
  const found = BROKEN_PROMISES.find(({ promise }) => promise === name);
  if (found === undefined) throw new Error(`there is no promise ${name}; --help lists them`);
  return found.promise;
};

/** Null when help is wanted. Throws with what is wrong with the arguments. */
const readArguments = (args: string[]): Arguments | null => {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      break: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const one = values.seed !== undefined;
  if (values.trace && !one) throw new Error('--trace needs --seed');
  if (one && [values.seeds, values.from, values.json].some((value) => value !== undefined))
    throw new Error('--seed is one night: it goes with --trace and --break only');
  return {
    one,
    from: wholeNumber(values.seed ?? values.from ?? '1', 0),
    count: one ? 1 : wholeNumber(values.seeds ?? '10000', 1),
    trace: values.trace,
    broken: values.break === undefined ? null : promiseOf(values.break),
    json: values.json ?? false,
  };
};

const characterOf = (broken: PromiseName | null) =>
  BROKEN_PROMISES.find(({ promise }) => promise === broken)?.character ?? {};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** One seed, and what happened in it. */
const replay = ({ from: seed, trace: isWanted, broken }: Arguments): number => {
  const trace = new Trace(isWanted ? 'lines' : 'hash');
  const verdict = judge({ seed, broken, trace, character: characterOf(broken) });
  for (const line of trace.lines) say(line);
  if (verdict.ok) for (const [how, count] of verdict.outcomes) say(`${`${count}`.padStart(5)}  ${how}`);
  say(`seed ${seed}, trace ${trace.hash}: ${verdict.ok ? 'no law was broken' : verdict.message}`);
  return verdict.ok ? 0 : 1;
};

const many = async ({ from, count, broken, json }: Arguments, signal: AbortSignal): Promise<number> => {
  const tally = new Tally();
  const begin = performance.now();
  const bar = new cliProgress.SingleBar(
    {
      format: 'simulating [{bar}] {value}/{total} nights · {broken} broken · {eta_formatted} left',
      stream: process.stderr,
      hideCursor: true,
    },
    cliProgress.Presets.rect,
  );
  if (!json) bar.start(count, 0, { broken: 0 });
  try {
    await judgeAll({
      program: new URL(import.meta.url),
      from,
      count,
      broken,
      signal,
      onVerdicts: (verdicts) => {
        for (const verdict of verdicts) tally.add(verdict);
        bar.update(tally.nights, { broken: tally.broken.length });
      },
    });
  } finally {
    bar.stop();
  }
  const seconds = (performance.now() - begin) / 1000;
  const { nights, runs, outcomes, broken: found } = tally;
  if (json) say(JSON.stringify({ nights, seconds, runs, outcomes: Object.fromEntries(outcomes), broken: found }));
  else for (const line of tally.report(seconds)) say(line);
  if (signal.aborted && !json) say(`Stopped before the end: ${nights} of ${count} nights.`);
  if (!signal.aborted && nights !== count)
    throw new Error(`${nights} of ${count} nights were judged: this is a defect`);
  return found.length > 0 ? 1 : signal.aborted ? 130 : 0;
};

const main = async (args: string[]): Promise<number> => {
  let wanted: Arguments | null;
  try {
    wanted = readArguments(args);
  } catch (error) {
    process.stderr.write(`simulate: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (wanted === null) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (wanted.one) return replay(wanted);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  return many(wanted, stop.signal);
};

if (isMainThread) process.exitCode = await main(process.argv.slice(2));
else
  parentPort?.on('message', ({ from, count, broken }: Batch) => {
    const character = characterOf(broken);
    parentPort?.postMessage(
      Array.from({ length: count }, (_, index) => judge({ seed: from + index, broken, character })),
    );
  });
