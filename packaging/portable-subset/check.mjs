/**
 * Refuses what is outside the portable subset: `node packaging/portable-subset/check.mjs [FILE…]`, without files all that runs in ucode.
 * One line a finding, `file:line: reason`; exit code 1 if there is one.
 */
import { resolve } from 'node:path';
import { checkFile, portable } from './portable.mjs';

const files = process.argv.length > 2 ? process.argv.slice(2).map((name) => resolve(name)) : portable;
const findings = files.flatMap(checkFile);
for (const finding of findings) console.log(finding);
if (findings.length > 0) console.log(`${findings.length} outside the portable subset`);
process.exitCode = findings.length > 0 ? 1 : 0;
