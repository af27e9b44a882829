/** What the installed version can do (facts: each option's first version, from iperf3's release notes). */

/** Whether `version` ("3.17.1") is 3.`minor` or later. An unknown version can nothing. */
export const atLeast = (version: string | null, minor: number): boolean => {
  const found = match(version ?? '', /^([0-9]+)[.]([0-9]+)/);
  if (found == null) return false;
  const major = int(found[1]);
  return major > 3 || (major === 3 && int(found[2]) >= minor);
};

/** `--bidir` */
export const BIDIR_MINOR = 7;

/** `--connect-timeout` and RSA authentication. */
export const TIMEOUT_AND_AUTH_MINOR = 2;

/** What the agent's status tells the controller; nothing without iperf3. `cross-traffic`: it looks at its WAN first, if it is asked to. */
export const capabilities = (version: string | null): string[] => {
  if (version == null) return [];
  return atLeast(version, BIDIR_MINOR) ? ['tcp', 'udp', 'bidir', 'cross-traffic'] : ['tcp', 'udp', 'cross-traffic'];
};

/** The version in the output of `iperf3 --version`, or null. 3.0 prints `uname` before the version line. */
export const readVersion = (output: string): string | null => {
  const found = match(output, /iperf ([0-9]+[.][0-9]+[0-9.]*)/);
  return found == null ? null : found[1];
};
