import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Flags of a route (linux/route.h). The kernel lists routes that refuse, too. */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

const ANY4 = '0'.repeat(8);
const ANY6 = '0'.repeat(32);

interface Route {
  interface: string | undefined;
  metric: number;
  flags: number;
}

/** The text of a file, empty when it is not there, as without IPv6. */
const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** The columns of each line. */
const linesOf = (text: string): string[][] => text.split('\n').map((line) => line.trim().split(/\s+/));

/** IPv4: Iface Destination Gateway Flags RefCnt Use Metric Mask …, the metric is decimal, the rest hexadecimal. */
const routes4 = (text: string): Route[] =>
  linesOf(text)
    .filter((row) => row[1] === ANY4 && row[7] === ANY4)
    .map((row) => ({ interface: row[0], flags: Number(`0x${row[3]}`), metric: Number(row[6]) }));

/**
 * IPv6: Destination Length Source Length Next-hop Metric RefCnt Use Flags Iface, all numbers hexadecimal. A default route for some sources
 * only counts, too: OpenWrt has no other.
 */
const routes6 = (text: string): Route[] =>
  linesOf(text)
    .filter((row) => row[0] === ANY6 && row[1] === '00')
    .map((row) => ({ interface: row[9], flags: Number(`0x${row[8]}`), metric: Number(`0x${row[5]}`) }));

/**
 * The interface of the default route, of IPv4 or else of IPv6, of several the one with the lowest metric; null when there is none. The texts are those
 * of /proc/net/route and /proc/net/ipv6_route, which show the main routing table only.
 */
export const wanInterfaceIn = (route: string, ipv6_route: string): string | null => {
  for (const routes of [routes4(route), routes6(ipv6_route)]) {
    const usable = routes.filter(({ flags }) => (flags & RTF_UP) !== 0 && (flags & RTF_REJECT) === 0);
    const [best] = usable.sort((a, b) => a.metric - b.metric);
    if (best?.interface !== undefined) return best.interface;
  }
  return null;
};

/** `wanInterfaceIn` the files in `folder`, which is /proc/net. */
export const findWanInterface = (folder: string): string | null =>
  wanInterfaceIn(textOf(join(folder, 'route')), textOf(join(folder, 'ipv6_route')));
