// @ts-check
import { randomUUID } from 'node:crypto';
import { endLeftovers, MARK } from './leftovers.mjs';
import { say } from './say.mjs';
import { run } from './spawn.mjs';

/**
 * vitest's arguments. Coverage is measured, and its floor enforced, when everything runs: when no argument could have
 * chosen a part of the tests.
 * @param {string[]} args of `npm test --`
 */
export function vitestArguments(args) {
  const choosesNothing = args.every((arg) => /^--(reporter|outputFile)\b.*=/.test(arg));
  return ['run', ...(choosesNothing ? ['--coverage'] : []), ...args];
}

/**
 * Runs the tests; a process that they leave running fails the run.
 * @param {string} vitest the program
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
export async function runTests(vitest, args) {
  const mark = randomUUID();
  const code = await run(vitest, vitestArguments(args), { env: { ...process.env, [MARK]: mark } });
  const leftovers = await endLeftovers(mark);
  for (const line of leftovers) say(`left running by a test, killed now: ${line}`);
  return leftovers.length > 0 ? code || 1 : code;
}
