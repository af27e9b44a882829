import { anything, duration, hostName, id, optional, rate, text, wholeNumber } from './leaf.ts';
import { type Path, showName } from './problem.ts';
import { namesIn, type Reader } from './reader.ts';
import { schedule, timezone } from './schedule-leaf.ts';
import type { ServerSettings } from './settings.ts';

/** iperf3's own default. */
export const IPERF3_PORT = 5201;

const readAuth = (reader: Reader, path: Path, raw: unknown): ServerSettings['auth'] => {
  if (raw === undefined || raw === null) return null;
  const file = text('the path of a file');
  const given = reader.fields(path, raw, {
    username: text('a user name'),
    password_file: file,
    public_key_file: text('the path of a PEM file'),
  });
  return {
    username: given.username ?? '',
    password: reader.secret([...path, 'password_file'], given.password_file, 'secret') ?? '',
    public_key: reader.secret([...path, 'public_key_file'], given.public_key_file, 'public') ?? '',
  };
};

const DAY_MS = 86_400_000;

const MAINTENANCE = { schedule, duration: duration(60_000, 7 * DAY_MS), timezone: optional(timezone) };

const readMaintenance = (reader: Reader, path: Path, raw: unknown): ServerSettings['maintenance'] =>
  reader.list(path, raw, 'maintenance windows').map((entry, index) => {
    const given = reader.fields([...path, index], entry, MAINTENANCE);
    const { schedule = '', duration: duration_ms = 0 } = given;
    return { schedule, timezone: given.timezone ?? 'UTC', duration_ms };
  });

/** A server with nothing but its address. */
export const plainServer = (server: string, host: string, port: number): ServerSettings => ({
  ...{ server, host, port, host_group: null, auth: null, max_bitrate: null, maintenance: [] },
});

/** `servers`: the iperf3 servers by name. The same host and port twice would be two slots for one server: refused. */
export const readServers = (reader: Reader, raw: unknown, hostGroups: unknown): Map<string, ServerSettings> => {
  const servers = new Map<string, ServerSettings>();
  const owners = new Map<string, string>();
  const groups = namesIn(hostGroups);
  for (const [server, entry] of reader.entries(['servers'], raw, 'iperf3 servers')) {
    const path = ['servers', server];
    const given = reader.fields(path, entry, {
      host: hostName,
      port: optional(wholeNumber('a port', 1, 65535)),
      host_group: optional(id),
      auth: optional(anything),
      max_bitrate: optional(rate),
      maintenance: optional(anything),
    });
    reader.reference([...path, 'host_group'], given.host_group, groups, 'host_groups');
    const auth = readAuth(reader, [...path, 'auth'], given.auth);
    const { host = '', port } = given;
    const plain = plainServer(server, host, port ?? IPERF3_PORT);
    const maintenance = readMaintenance(reader, [...path, 'maintenance'], given.maintenance);
    const { host_group = null, max_bitrate = null } = given;
    servers.set(server, { ...plain, host_group, auth, max_bitrate, maintenance });

    const endpoint = `${host.toLowerCase().replace(/\.$/, '')} port ${port ?? IPERF3_PORT}`;
    const owner = owners.get(endpoint);
    if (host !== '' && owner !== undefined) {
      reader.problem(
        path,
        `${endpoint}, which is ${showName(owner)} already`,
        'a host and port of its own for each server',
      );
    }
    owners.set(endpoint, owner ?? server);
  }
  return servers;
};

/** `host_groups` and `uplink_groups`: what shares a link, and how many runs it carries at a time (1 unless given). */
export const readGroups = (
  reader: Reader,
  section: 'host_groups' | 'uplink_groups',
  raw: unknown,
): Map<string, { capacity: number }> =>
  new Map(
    reader.entries([section], raw, 'groups').map(([group, entry]) => {
      const capacity = optional(wholeNumber('how many runs at a time', 1, 10_000));
      return [group, { capacity: reader.fields([section, group], entry, { capacity }).capacity ?? 1 }];
    }),
  );
