import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where the programs of benches are. */
export const CACHE = 'node_modules/.cache/perfleet';

/** Makes one of the benches' own programs, of `test/bench/NAME.ts`. The builder finds the repository by its own place, so it is not bundled into a bench. */
export const buildProgram = async (name: string): Promise<string> => {
  const builder: typeof import('../../packaging/build/build.mjs') = await import(
    pathToFileURL(resolve('packaging/build/build.mjs')).href
  );
  const file = resolve(CACHE, `${name}.js`);
  builder.bundleForHere(`test/bench/${name}.ts`, file);
  return file;
};
