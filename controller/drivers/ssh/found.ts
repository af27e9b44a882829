import '../../../agent/hosts/node/builtins.ts';
import { wanInterfaceIn } from '../../../agent/hosts/node/wan-interface.ts';
import { countersIn, type Seen, trafficOf } from '../../../agent/hosts/node/wan-traffic.ts';
import { readVersion } from '../../../agent/iperf3/version.ts';
import { PROGRAM_LIMIT_S } from './remote-scripts.ts';

/** The sections of what LOOK prints, by name. */
const sectionsOf = (text: string): Map<string, string> =>
  new Map(
    `\n${text}`
      .split('\n== ')
      .slice(1)
      .map((section) => {
        const end = section.indexOf('\n');
        return end < 0 ? [section, ''] : [section.slice(0, end), section.slice(end + 1)];
      }),
  );

/** What `ping` of BusyBox, iputils and musl say when a name has no address. */
const UNRESOLVED = /bad address|not known|name resolution|does not resolve|no address|unknown host/i;

const INSTALL =
  'it is not installed, or not on its PATH: opkg install iperf3 (OpenWrt 25.12 and later: apk add iperf3)';

const late = (program: string): string => `${program} took longer than ${PROGRAM_LIMIT_S} s`;

const firstLine = (text: string): string => text.trim().split('\n', 1).join().slice(0, 200);

/** The two looks at the counters, each after /proc/uptime: elapsed milliseconds, and what went over the interface. */
const trafficIn = (sections: Map<string, string>): Seen => {
  const text = (name: string): string => sections.get(name) ?? '';
  const name = wanInterfaceIn(text('route'), text('route6'));
  if (name === null) return { problem: 'there is no default route' };
  const before = countersIn(text('before'), name);
  if (before === null) return { problem: `there are no byte counters of ${name}` };
  const uptime = (look: string): number => Number.parseFloat(text(look));
  return trafficOf(name, before, countersIn(text('after'), name), 1000 * (uptime('after') - uptime('before')));
};

/** What LOOK found. `error` says why there is no iperf3, or no address; `seen` is null when it was not asked for. */
export interface Look {
  iperf3: string | null;
  resolved: boolean;
  error: string | null;
  seen: Seen | null;
}

/** Reads what LOOK prints; it was asked for the traffic if `wan`. */
export const readLook = (output: string, wan: boolean): Look => {
  const sections = sectionsOf(output);
  const said = sections.get('version') ?? '';
  if (sections.has('version-late'))
    return { iperf3: null, resolved: false, error: late('iperf3 --version'), seen: null };
  const iperf3 = readVersion(said);
  if (sections.has('ping-late')) return { iperf3, resolved: false, error: late('asking for it'), seen: null };
  const ping = sections.get('ping') ?? '';
  const resolved = !UNRESOLVED.test(ping);
  const missing = /not found/.test(said) || said.trim() === '' ? INSTALL : firstLine(said);
  const error = iperf3 === null ? missing : resolved ? null : firstLine(ping);
  return { iperf3, resolved, error, seen: wan ? trafficIn(sections) : null };
};
