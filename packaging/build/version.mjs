// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root.mjs';

/** @type {{version: string}} */
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** For the `define` option of esbuild and of vitest: `broker/version.ts` reads the version of package.json from it. */
export const define = { PERFLEET_VERSION: JSON.stringify(version) };
