// @ts-check
import { gzip, tarOf, withFolders } from './tar.mjs';

/** @typedef {import('./tar.mjs').Entry} Entry */

/** What OpenWrt's own packages do: the user of `Require-User` is made, uci-defaults run, services are enabled and started, or stopped. @param {string} what */
const script = (what) => `#!/bin/sh
[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
${what} "$0" "$@"
`;

/**
 * A package for opkg: a gzipped tar of debian-binary, data.tar.gz and control.tar.gz, as OpenWrt's scripts/ipkg-build makes it. The same input
 * makes the same bytes, on any machine.
 * @param {Record<string, string>} fields of the control file, in order, but for Installed-Size
 * @param {string} description one line
 * @param {Entry[]} files with absolute paths
 * @param {string[]} conffiles paths of those that belong to the owner of the router
 * @param {Date} mtime of everything in it
 */
export const ipkOf = (fields, description, files, conffiles, mtime) => {
  const data = tarOf(withFolders(files), mtime);
  const control = Object.entries({ ...fields, 'Installed-Size': `${data.length}`, Description: description });
  const scripts = { postinst: script('default_postinst'), prerm: script('default_prerm') };
  const controlFiles = [
    { path: '/conffiles', mode: 0o644, content: conffiles.map((path) => `${path}\n`).join('') },
    { path: '/control', mode: 0o644, content: control.map(([name, value]) => `${name}: ${value}\n`).join('') },
    ...Object.entries(scripts).map(([name, content]) => ({ path: `/${name}`, mode: 0o755, content })),
  ];
  const parts = [
    { path: './debian-binary', mode: 0o644, content: '2.0\n' },
    { path: './data.tar.gz', mode: 0o644, content: gzip(data) },
    { path: './control.tar.gz', mode: 0o644, content: gzip(tarOf(withFolders(controlFiles), mtime)) },
  ];
  return gzip(tarOf(parts, mtime));
};
