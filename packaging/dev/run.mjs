// @ts-check
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../root.mjs';
import { FOR_DEMO, FOR_TESTS } from './debian-packages.mjs';
import { prepare } from './prepare.mjs';
import { Refusal, say } from './say.mjs';
import { run } from './spawn.mjs';
import { runTests } from './test-command.mjs';

// The commands of package.json. Each prepares the machine first, so that it works in a bare clone.
//   node packaging/dev/run.mjs build|check|demo|test|bench|conformance|simulate|fuzz|kills [arguments]

const USAGE =
  'usage: node packaging/dev/run.mjs build|check|demo|test|bench|conformance|simulate|fuzz|kills [arguments]';

/** A program of node_modules. @param {string} name */
const bin = (name) => join(root, 'node_modules/.bin', name);

/** esbuild is not there before `prepare`. */
const builder = () => import('../build/build.mjs');

/** Continues as another program of ours in this very process: signals and exit code are its own. @param {string} file @param {string[]} args */
async function become(file, args) {
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}

/** @type {Record<string, (args: string[]) => Promise<number | void>>} */
const COMMANDS = {
  async build() {
    await prepare({ npm: true, debian: [] });
    (await builder()).buildAll();
  },

  async check() {
    await prepare({ npm: true, debian: [] });
    return (
      (await run(bin('biome'), ['check', '.'])) ||
      (await run(bin('tsc'), ['--noEmit'])) ||
      (await run(process.execPath, ['packaging/portable-subset/check.mjs']))
    );
  },

  async demo(args) {
    await prepare({ npm: true, debian: FOR_DEMO });
    const { buildAll, DIST } = await builder();
    buildAll();
    await become(join(DIST, 'perfleet.js'), ['demo', ...args]);
  },

  async test(args) {
    await prepare({ npm: true, debian: FOR_TESTS });
    (await builder()).buildAll();
    return runTests(bin('vitest'), args);
  },

  async bench(args) {
    await prepare({ npm: true, debian: FOR_TESTS });
    const { buildAll, bundleForHere } = await builder();
    const bench = join(root, 'node_modules/.cache/perfleet/bench.js');
    buildAll();
    bundleForHere('test/bench/main.ts', bench);
    await become(bench, args);
  },

  async conformance(args) {
    await prepare({ npm: true, debian: FOR_TESTS });
    const { buildAll, bundleForHere } = await builder();
    const conformance = join(root, 'node_modules/.cache/perfleet/conformance.js');
    buildAll();
    bundleForHere('test/agent-conformance/main.ts', conformance);
    await become(conformance, args);
  },

  async simulate(args) {
    await prepare({ npm: true, debian: [] });
    const { bundleForHere } = await builder();
    const simulate = join(root, 'node_modules/.cache/perfleet/simulate.js');
    bundleForHere('test/simulation/main.ts', simulate);
    await become(simulate, args);
  },

  async kills(args) {
    await prepare({ npm: true, debian: FOR_TESTS });
    const { buildAll, bundleForHere } = await builder();
    const kills = join(root, 'node_modules/.cache/perfleet/kills.js');
    buildAll();
    bundleForHere('test/kills/main.ts', kills);
    await become(kills, args);
  },

  async fuzz(args) {
    await prepare({ npm: true, debian: [] });
    const { bundleForHere } = await builder();
    const fuzz = join(root, 'node_modules/.cache/perfleet/fuzz.js');
    bundleForHere('test/fuzz/main.ts', fuzz);
    await become(fuzz, args);
  },
};

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
// Servers and `ip` live in sbin, which is not on everybody's PATH.
const { PATH = '' } = process.env;
Object.assign(process.env, { PATH: `${PATH}:/usr/local/sbin:/usr/sbin:/sbin` });
process.chdir(root);
try {
  if (command === undefined) throw new Refusal(USAGE);
  const code = await command(args);
  if (code) process.exitCode = code;
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(error.message);
  process.exitCode = 1;
}
