import type { WanTraffic } from '../../core/io.ts';

/** Flags of a route (linux/route.h). The kernel lists routes that refuse, too. */
const RTF_UP = 1;
const RTF_REJECT = 512;

const rowsOf = (path: string): string[][] =>
  map(split(fs.readfile(path) ?? '', '\n'), (line) =>
    split(trim(replace(join(' ', split(line, '\t')), /[ :]+/g, ' ')), ' '),
  );

interface Route {
  name: string;
  flags: number;
  metric: number;
}

/** The interface of the default route, of IPv4 or else of IPv6, the lowest metric first; null when there is none. */
const defaultInterface = (): string | null => {
  const zeros = '00000000';
  const rows4 = filter(rowsOf('/proc/net/route'), (row) => row[1] === zeros && row[7] === zeros);
  const any6 = join('', [zeros, zeros, zeros, zeros]);
  const rows6 = filter(rowsOf('/proc/net/ipv6_route'), (row) => row[0] === any6 && row[1] === '00');
  const routes4 = map(
    rows4,
    (row): Route => ({ name: `${row[0]}`, flags: hex(`${row[3]}`), metric: int(`${row[6]}`) }),
  );
  const routes6 = map(
    rows6,
    (row): Route => ({ name: `${row[9]}`, flags: hex(`${row[8]}`), metric: hex(`${row[5]}`) }),
  );
  const best = (routes: Route[]): Route | undefined => {
    const usable = filter(routes, (route) => (route.flags & RTF_UP) !== 0 && (route.flags & RTF_REJECT) === 0);
    return sort(usable, (a, b) => a.metric - b.metric)[0];
  };
  return (best(routes4) ?? best(routes6))?.name ?? null;
};

/** Bytes both ways since the interface came up, or null. */
const bytesOf = (name: string): number | null => {
  const row = filter(rowsOf('/proc/net/dev'), (columns) => columns[0] === name)[0];
  return row == null ? null : int(`${row[1]}`) + int(`${row[9]}`);
};

/**
 * Looks at the counters of an interface, null for that of the default route. The returned function looks again: how many bytes went over
 * it since, both ways; null when that cannot be known.
 */
export const countWan = (wanted: string | null): (() => number | null) => {
  const name = wanted ?? defaultInterface();
  const before = name == null ? null : bytesOf(name);
  return () => {
    const after = name == null ? null : bytesOf(name);
    return before == null || after == null || after < before ? null : after - before;
  };
};

/** What went over the WAN in the last `elapsed_ms`, as `count` says. */
export const trafficOf = (wanted: string | null, bytes: number | null, elapsed_ms: number): WanTraffic | null => {
  const name = wanted ?? defaultInterface();
  return name == null || bytes == null ? null : { interface: name, bits_per_second: int((8000 * bytes) / elapsed_ms) };
};
