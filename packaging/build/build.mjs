// @ts-check
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { root } from '../root.mjs';
import { packOpenwrt } from './openwrt-packages.mjs';
import { replace } from './replace.mjs';
import { bundleForUcode } from './ucode.mjs';
import { define } from './version.mjs';

/** Where the commands expect the bundles. */
export const DIST = join(root, 'dist');

/** Some of the bundled packages are CommonJS and require Node's own modules. */
const BANNER = `#!/usr/bin/env node
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`;

const OPTIONS = /** @satisfies {import('esbuild').BuildOptions} */ ({
  absWorkingDir: root,
  bundle: true,
  platform: /** @type {const} */ ('node'),
  target: 'node20',
  format: /** @type {const} */ ('esm'),
  banner: { js: BANNER },
  define,
  metafile: /** @type {const} */ (true),
  write: /** @type {const} */ (false),
  logLevel: /** @type {const} */ ('warning'),
});

/** perfleet.js, the command; needs the packages `libsql` and `ssh2`, which load native libraries. @param {string} folder */
export const bundlePerfleet = (folder = DIST) =>
  bundle('controller/main.ts', join(folder, 'perfleet.js'), ['libsql', 'ssh2']);

/** agent.js, the agent for devices with Node.js; needs nothing else. @param {string} folder */
export const bundleAgent = (folder = DIST) => bundle('agent/main.ts', join(folder, 'agent.js'));

/** perfleet-agent.uc, the agent for OpenWrt, and perfleet-agent, which starts it. @param {string} folder */
export const bundleOpenwrt = (folder = DIST) => {
  mkdirSync(folder, { recursive: true });
  replace(
    join(folder, 'perfleet-agent.uc'),
    bundleForUcode('agent/hosts/openwrt/main.ts', define.PERFLEET_VERSION),
    0o644,
  );
  replace(join(folder, 'perfleet-agent'), readFileSync(join(root, 'agent/hosts/openwrt/perfleet-agent.sh')), 0o755);
};

/** Everything that is delivered: all bundles, and the packages for OpenWrt. Takes about a second. @param {string} folder */
export const buildAll = (folder = DIST) => {
  const metafiles = { perfleet: bundlePerfleet(folder), agent: bundleAgent(folder) };
  bundleOpenwrt(folder);
  packOpenwrt(folder);
  return metafiles;
};

/** Any other program of this repository as one file that needs nothing else, as the agent is. @param {string} entry @param {string} outfile */
export const bundleAlone = (entry, outfile) => bundle(entry, outfile);

/** Any other program of this repository, to be run in place: only our own sources are bundled. @param {string} entry @param {string} outfile */
export const bundleForHere = (entry, outfile) => bundle(entry, outfile, [], 'external');

/**
 * Writes an executable, and beside it NAME.meta.json, which says what is in it.
 * @param {string} entry
 * @param {string} outfile
 * @param {string[]} external
 * @param {'bundle' | 'external'} packages
 * @returns {import('esbuild').Metafile} what went into it; paths are relative to the repository
 * @throws {Error} when a source does not build; esbuild has shown where by then
 */
function bundle(entry, outfile, external = [], packages = 'bundle') {
  const result = buildSync({ ...OPTIONS, entryPoints: [entry], outfile, external, packages });
  mkdirSync(dirname(outfile), { recursive: true });
  for (const { contents } of result.outputFiles) replace(outfile, contents, 0o755);
  replace(join(dirname(outfile), `${basename(outfile, '.js')}.meta.json`), JSON.stringify(result.metafile), 0o644);
  return result.metafile;
}
