import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { define } from '../../../packaging/build/version.mjs';
import { root } from '../../../packaging/root.mjs';

/** An agent of ours with one fault: `from` in one file of it is `to`. The case of `rule` whose title has these words finds it. */
export interface Fault {
  what: string;
  file: string;
  from: string;
  to: string;
  rule: string;
  title: string;
  /** What that case says then, among other things. */
  says: string;
}

/** Builds the agent with a fault as one file. Throws when the text is not there, or more than once. */
export const buildWrong = async ({ file, from, to }: Fault, outfile: string): Promise<void> => {
  const source = readFileSync(join(root, file), 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${file} does not have this once: ${from}`);
  await build({
    absWorkingDir: root,
    entryPoints: ['agent/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    define,
    logLevel: 'warning',
    plugins: [
      {
        name: 'fault',
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) =>
            path === join(root, file) ? { contents: source.replace(from, () => to), loader: 'ts' } : null,
          );
        },
      },
    ],
  });
};
