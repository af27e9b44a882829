// @ts-check
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../root.mjs';
import { ipkOf } from './ipk.mjs';
import { replace } from './replace.mjs';
import { version } from './version.mjs';

/** Of the package, not of the agent in it; feed/perfleet-agent/Makefile has it too, like all that is in the control files. */
const RELEASE = 'r1';

const IPERF3 = 'iperf3 | iperf3-ssl';

/** @type {{ name: string, build: string, fields: Record<string, string>, description: string }[]} */
const PACKAGES = [
  {
    name: 'perfleet-agent',
    build: 'ucode',
    fields: { Depends: `ucode, ucode-mod-fs, ucode-mod-uloop, mosquitto-client, ${IPERF3}` },
    description: 'Measures the bandwidth and jitter of this router with iperf3 when a perfleet controller asks for it.',
  },
  {
    name: 'perfleet-agent-node',
    build: 'node',
    fields: { Depends: `node, ${IPERF3}`, Conflicts: 'perfleet-agent' },
    description:
      'Measures the bandwidth and jitter of this router with iperf3 when a perfleet controller asks for it. Runs on Node.js.',
  },
];

/** @param {string} build @param {string} dist @returns {import('./tar.mjs').Entry[]} the lines of files.list for it */
const filesOf = (build, dist) =>
  readFileSync(join(root, 'packaging/openwrt/files.list'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/))
    .filter(([which]) => which === 'both' || which === build)
    .map(([, mode = '', path = '', source = '']) => ({
      path: source === '' ? `${path}/` : path,
      mode: Number.parseInt(mode, 8),
      ...(source === ''
        ? {}
        : { content: readFileSync(source.startsWith('dist/') ? join(dist, basename(source)) : join(root, source)) }),
    }));

/** What eleven octal digits, which tar has for a time, can hold. */
const LAST_TIME = 0o77777777777;

/** SOURCE_DATE_EPOCH, seconds since 1970, or 0 when it is not set. @param {string} [epoch] @throws {Error} when it is no such number */
const timeOf = (epoch = '0') => {
  if (/^\d*$/.test(epoch) && Number(epoch) <= LAST_TIME) return new Date(Number(epoch) * 1000);
  throw new Error(`SOURCE_DATE_EPOCH is ${epoch}: expected seconds since 1970`);
};

/**
 * Both .ipk files, of the agents that were built into the folder before; those of other versions go. The time in them is that of SOURCE_DATE_EPOCH.
 * @param {string} dist
 * @returns {string[]} their names
 */
export const packOpenwrt = (dist) => {
  const mtime = timeOf(process.env['SOURCE_DATE_EPOCH']);
  const made = PACKAGES.map(({ name, build, fields, description }) => {
    const control = {
      Package: name,
      Version: `${version}-${RELEASE}`,
      ...fields,
      License: 'MIT',
      Section: 'net',
      'Require-User': 'perfleet:perfleet',
      Architecture: 'all',
    };
    const file = `${name}_${control.Version}_${control.Architecture}.ipk`;
    const ipk = ipkOf(control, description, filesOf(build, dist), ['/etc/config/perfleet'], mtime);
    replace(join(dist, file), ipk, 0o644);
    return file;
  });
  for (const name of readdirSync(dist))
    if (/^perfleet-agent.*\.ipk$/.test(name) && !made.includes(name)) rmSync(join(dist, name), { force: true });
  return made;
};
