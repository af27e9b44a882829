import { DEFAULT_RETENTION } from '../../controller/config/retention-section.ts';
import type { Settings } from '../../controller/config/settings.ts';
import { type Calendar, someCalendar, TAG } from './organizations.ts';
import type { Random } from './random.ts';

/** A device as the store knows it. */
export interface Member {
  device: string;
  organization: string;
  tags: string[];
  uplink_group: string | null;
}

/** Who takes part in a night. */
export interface Fleet {
  servers: string[];
  members: Member[];
  calendar: Calendar;
  settings: Settings;
  host_group_of: Map<string, string>;
  uplink_of: Map<string, string>;
  host_groups: Map<string, { capacity: number }>;
  uplink_groups: Map<string, { capacity: number }>;
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);

const group = (members: string[], name: string, random: Random, share: number): Map<string, string> =>
  new Map(members.filter(() => random.chance(share)).map((member) => [member, name]));

/** One to three servers, two to six devices, and who shares what with whom. */
export const someFleet = (random: Random): Fleet => {
  const servers = names('s', random.whole(1, 3));
  const devices = names('d', random.whole(2, 6));
  const calendar = someCalendar(random, servers);
  const host_group_of = group(servers, 'h', random, random.chance(0.5) ? 0.9 : 0);
  const uplink_of = group(devices, 'u', random, random.chance(0.5) ? 0.7 : 0);
  const host_groups = new Map([['h', { capacity: random.whole(1, 2) }]]);
  const uplink_groups = new Map([['u', { capacity: random.whole(1, 2) }]]);
  const organizations = calendar.organizations.map(({ settings }) => settings);
  const members = devices.map((device) => ({
    device,
    organization: organizations[random.whole(0, organizations.length - 1)]?.organization ?? '',
    tags: random.chance(0.3) ? [TAG] : [],
    uplink_group: uplink_of.get(device) ?? null,
  }));
  const settings: Settings = {
    broker: { kind: 'embedded', host: '', port: 0, tls: null },
    http: { host: '', port: 0, token: '' },
    store: '',
    influx: null,
    retention: DEFAULT_RETENTION,
    servers: new Map(
      servers.map((server) => [
        server,
        {
          server,
          host: server,
          port: 5201,
          host_group: host_group_of.get(server) ?? null,
          auth: null,
          max_bitrate: null,
          maintenance: [],
        },
      ]),
    ),
    host_groups,
    uplink_groups,
    organizations: new Map(organizations.map((one) => [one.organization, one])),
    alerts: [],
    ssh_credentials: new Map(),
    receivers: new Map(),
  };
  return { servers, members, calendar, settings, host_group_of, uplink_of, host_groups, uplink_groups };
};
