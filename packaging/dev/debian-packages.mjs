// @ts-check
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * What we use of each Debian package: the programs that must be there, and the services that come along unasked.
 * @type {Record<string, {programs: string[], services?: string[]}>}
 */
export const PACKAGES = {
  bash: { programs: ['bash'] },
  busybox: { programs: ['busybox'] },
  'dropbear-bin': { programs: ['dropbear', 'dropbearconvert'] },
  git: { programs: ['git'] },
  influxdb: { programs: ['influxd'], services: ['influxdb'] },
  iperf3: { programs: ['iperf3'], services: ['iperf3'] },
  iproute2: { programs: ['ip', 'tc'] },
  make: { programs: ['make'] },
  mosquitto: { programs: ['mosquitto'], services: ['mosquitto'] },
  'mosquitto-clients': { programs: ['mosquitto_pub', 'mosquitto_sub'] },
  'openssh-client': { programs: ['ssh', 'ssh-add', 'ssh-agent', 'ssh-keygen'] },
  'openssh-server': { programs: ['sshd'], services: ['ssh'] },
  openssl: { programs: ['openssl'] },
  'prometheus-alertmanager': {
    programs: ['prometheus-alertmanager', 'amtool'],
    services: ['prometheus-alertmanager'],
  },
  'python3-aiosmtpd': { programs: ['aiosmtpd'] },
  'util-linux': { programs: ['flock'] },
  'victoria-metrics': { programs: ['victoria-metrics'], services: ['victoria-metrics'] },
};

/** What `npm run demo` needs. */
export const FOR_DEMO = ['bash', 'iperf3', 'util-linux'];

/** What the tests and the benchmarks need. */
export const FOR_TESTS = Object.keys(PACKAGES);

/**
 * @param {string} name
 * @param {string} path list of folders, as in $PATH
 */
export function isOnPath(name, path) {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Decides what to do about the packages of `wanted` whose programs are not there.
 * @param {string[]} wanted names of PACKAGES
 * @param {{has: (program: string) => boolean, isRoot: boolean}} machine
 * @returns {{action: 'nothing'} | {action: 'install', packages: string[]} | {action: 'refuse', reason: string}}
 */
export function debianPlan(wanted, { has, isRoot }) {
  const missing = wanted
    .map((name) => ({ name, programs: programsOf(name).filter((program) => !has(program)) }))
    .filter(({ programs }) => programs.length > 0);
  if (missing.length === 0) return { action: 'nothing' };
  const packages = missing.map(({ name }) => name);
  if (!has('apt-get')) {
    const programs = missing.flatMap((entry) => entry.programs).join(', ');
    return { action: 'refuse', reason: `please install these programs, this system has no apt-get: ${programs}` };
  }
  if (isRoot) return { action: 'install', packages };
  const command = `sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  return { action: 'refuse', reason: `some programs are missing. Please run this, then try again:\n\n  ${command}\n` };
}

/**
 * The services that these packages bring along.
 * @param {string[]} packages
 */
export const servicesOf = (packages) => packages.flatMap((name) => PACKAGES[name]?.services ?? []);

/** @param {string} name */
function programsOf(name) {
  const entry = PACKAGES[name];
  if (entry === undefined) throw new Error(`${name} is not in the table of packages`);
  return entry.programs;
}
