// @ts-check
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { servicesOf } from './debian-packages.mjs';
import { Refusal, say } from './say.mjs';
import { run } from './spawn.mjs';

const POLICY = '/usr/sbin/policy-rc.d';
const POLICY_TEXT = `#!/bin/sh
# Written by perfleet while it installs packages, so that their services do not start. Safe to remove.
exit 101
`;

/** -qq: only what went wrong; wait for another apt-get rather than fail. */
const OPTIONS = ['-qq', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0'];

/**
 * Installs Debian packages, for their programs only: their services are neither started nor left enabled. Needs root.
 * @param {string[]} packages
 * @returns {Promise<void>}
 * @throws {Refusal} when apt-get fails; its own words are on stderr by then
 */
export async function aptInstall(packages) {
  say(`installing ${packages.join(', ')}`);
  await aptGet(['update']);
  await withoutServiceStarts(() => aptGet(['install', '-y', '--no-install-recommends', ...packages]));
  const services = servicesOf(packages);
  if (services.length > 0 && existsSync('/run/systemd/system')) {
    await run('systemctl', ['disable', '--quiet', ...services], { output: 'stderr' });
  }
}

/** @param {string[]} args */
async function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const code = await run('apt-get', [...OPTIONS, ...args], { env, output: 'stderr' });
  if (code !== 0) throw new Refusal(`apt-get ${args.join(' ')} failed (exit code ${code}), see above`);
}

/**
 * Debian asks policy-rc.d before a package may start its services. A policy that someone else wrote stays in force, ours
 * goes away again (also one that a killed predecessor left).
 * @param {() => Promise<void>} work
 */
async function withoutServiceStarts(work) {
  if (existsSync(POLICY) && readFileSync(POLICY, 'utf8') !== POLICY_TEXT) return work();
  writeFileSync(POLICY, POLICY_TEXT);
  chmodSync(POLICY, 0o755);
  try {
    await work();
  } finally {
    rmSync(POLICY, { force: true });
  }
}
