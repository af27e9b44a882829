// @ts-check
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../root.mjs';
import { aptInstall } from './apt-get.mjs';
import { debianPlan, isOnPath } from './debian-packages.mjs';
import { withLock } from './lock.mjs';
import { isNpmInstalled, npmInstall } from './npm-packages.mjs';
import { Refusal } from './say.mjs';

const OLDEST_NODE = 20;

/**
 * Installs what is missing; costs milliseconds when nothing is. Several may run at a time: one installs, the others wait.
 * @param {{npm: boolean, debian: string[]}} needs `npm`: node_modules; `debian`: names of PACKAGES
 * @throws {Refusal} saying what the person has to do
 */
export async function prepare({ npm, debian }) {
  const refusal = nodeRefusal(process.versions.node);
  if (refusal !== null) throw new Refusal(refusal);
  const isReady = () => (!npm || isNpmInstalled(root)) && planFor(debian).action === 'nothing';
  if (isReady()) return;
  await withLock(join(tmpdir(), `perfleet-prepare-${userId()}.lock`), async () => {
    await prepareDebian(debian);
    if (npm && !isNpmInstalled(root)) await npmInstall(root);
  });
}

/**
 * @param {string} version as in process.versions.node
 * @returns {string | null} why this Node.js will not do
 */
export function nodeRefusal(version) {
  if (Number.parseInt(version, 10) >= OLDEST_NODE) return null;
  return `Node.js ${OLDEST_NODE} or newer is needed, this is ${version} (${process.execPath}). See https://nodejs.org/en/download`;
}

/** @param {string[]} debian */
async function prepareDebian(debian) {
  const plan = planFor(debian);
  if (plan.action === 'refuse') throw new Refusal(plan.reason);
  if (plan.action === 'nothing') return;
  await aptInstall(plan.packages);
  if (planFor(debian).action !== 'nothing') {
    throw new Refusal(`apt-get installed ${plan.packages.join(', ')}, but their programs are not on the PATH`);
  }
}

/** @param {string[]} debian */
function planFor(debian) {
  const { PATH = '' } = process.env;
  return debianPlan(debian, { has: (program) => isOnPath(program, PATH), isRoot: userId() === 0 });
}

const userId = () => process.getuid?.() ?? 0;
