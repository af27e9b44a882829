// @ts-check
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../root.mjs';
import { ipkOf } from './ipk.mjs';
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

/**
 * Both .ipk files, of the agents that were built into the folder before; those of other versions go. The time in them is
 * SOURCE_DATE_EPOCH (seconds since 1970), or 0.
 * @param {string} dist
 * @returns {string[]} their names
 */
export const packOpenwrt = (dist) => {
  const mtime = new Date(Number(process.env['SOURCE_DATE_EPOCH'] ?? 0) * 1000);
  for (const name of readdirSync(dist)) if (/^perfleet-agent.*\.ipk$/.test(name)) rmSync(join(dist, name));
  return PACKAGES.map(({ name, build, fields, description }) => {
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
    writeFileSync(join(dist, file), ipkOf(control, description, filesOf(build, dist), ['/etc/config/perfleet'], mtime));
    return file;
  });
};
