// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal, say } from './say.mjs';
import { run } from './spawn.mjs';

/** Holds the hash of the package-lock.json that node_modules was installed from; written last. */
const STAMP = 'node_modules/.perfleet-installed-from';

/**
 * @param {string} folder of package-lock.json
 * @returns {boolean} whether node_modules is what `npm ci` makes of package-lock.json
 */
export function isNpmInstalled(folder) {
  const stamp = join(folder, STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hashOfLock(folder);
}

/**
 * `npm ci`, quietly and with what we build with, whatever NODE_ENV says.
 * @param {string} folder
 * @throws {Refusal} when npm fails; its own words are on stderr by then
 */
export async function npmInstall(folder) {
  say('installing npm packages');
  const hash = hashOfLock(folder);
  rmSync(join(folder, STAMP), { force: true });
  const [program, ...args] = npmCommand(process.env);
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await run(program, [...args, ...options], { cwd: folder, output: 'stderr' });
  if (code !== 0) throw new Refusal(`npm ci failed (exit code ${code}), see above`);
  writeFileSync(join(folder, STAMP), hash);
}

/**
 * The npm that runs us, else the one on $PATH.
 * @param {NodeJS.ProcessEnv} env
 * @returns {[string, ...string[]]}
 */
export function npmCommand({ npm_execpath: cli }) {
  return cli?.endsWith('npm-cli.js') ? [process.execPath, cli] : ['npm'];
}

/** @param {string} folder */
const hashOfLock = (folder) =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
