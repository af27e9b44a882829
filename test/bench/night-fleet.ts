import type { TestPlan } from '../../broker/contract/messages.ts';
import { DEFAULT_CHECK } from '../../controller/config/check-section.ts';
import type { CheckSettings, OrganizationSettings } from '../../controller/config/settings.ts';
import type { SlotServer } from '../../controller/slots/slots.ts';
import type { Random } from '../simulation/random.ts';

/** How large a night is. */
export interface NightSize {
  devices: number;
  servers: number;
  organizations: number;
}

export interface NightDevice {
  device: string;
  organization: string;
  tags: readonly string[];
  uplink_group: string | null;
}

/** What is wrong with a device, in this order of numbers. */
export const TROUBLES = ['none', 'back-later', 'never-back', 'busy-once', 'refuses', 'silent', 'loses-power'] as const;
export type Trouble = (typeof TROUBLES)[number];

/** How many devices of a million have it. */
const TROUBLE_PER_MILLION: Record<Exclude<Trouble, 'none'>, number> = {
  'back-later': 10_000,
  'never-back': 10_000,
  'busy-once': 5_000,
  refuses: 5_000,
  silent: 5_000,
  'loses-power': 1_000,
};

/** Who takes part. Devices, servers and organizations are named `d7`, `s7`, `o7` by their place. */
export interface NightFleet {
  servers: SlotServer[];
  host_groups: Map<string, { capacity: number }>;
  uplink_groups: Map<string, { capacity: number }>;
  organizations: Map<string, OrganizationSettings>;
  devices: NightDevice[];
  /** Of each device its place in TROUBLES. */
  troubles: Uint8Array;
}

const HOUR_MS = 3_600_000;

/** 22:00 UTC in November, as organizations around the world write it. */
const EVENINGS: readonly (readonly [hour: number, minute: number, timezone: string])[] = [
  [22, 0, 'UTC'],
  [23, 0, 'Europe/Berlin'],
  [17, 0, 'America/New_York'],
  [3, 30, 'Asia/Kolkata'],
  [14, 0, 'America/Los_Angeles'],
  [19, 0, 'America/Sao_Paulo'],
  [7, 0, 'Asia/Tokyo'],
];

/**
 * All organizations begin at 22:00 UTC. A night of 10,000 devices on 1,000 servers is over in two minutes: if they began one after another,
 * most servers would be idle at any time, and its grants could not be compared with those of larger nights.
 */
export const EVENING_MS = Date.UTC(2026, 10, 22, 22);

const test = (name: string, direction: TestPlan['direction']): TestPlan => ({
  ...{ test: name, protocol: 'tcp', direction, duration_s: 5, omit_s: 0, streams: 1 },
  ...{ bitrate: null, length: null, window: null, congestion: null },
});

/** Ten seconds a run: a thousand of them on each server are a night of three hours. */
const TESTS = [test('tcp-upload', 'upload'), test('tcp-download', 'download')];

const checkOfOrganization = (index: number): CheckSettings => {
  const [hour, minute, timezone] = EVENINGS[index % EVENINGS.length] ?? [22, 0, 'UTC'];
  const even = index % 5 === 4;
  return {
    ...DEFAULT_CHECK,
    ...{ enabled: true, schedule: `${minute} ${hour} * * *`, timezone, tests: TESTS },
    ...{ window_ms: (even ? 4 : 12) * HOUR_MS, spread: even ? 'even' : 'pack' },
    priority: [10, 10, 20, 5][index % 4] ?? 10,
  };
};

/** Of each hundred devices of an organization so many share the tower of their hundred; each fourth tower carries two at a time. */
const BEHIND_A_TOWER = 20;

const LTE: readonly string[] = ['lte'];
const NO_TAGS: readonly string[] = [];

/**
 * Organizations are of about the same size. Every fifth one spreads its runs over its window; in every fifth one all servers but one may
 * work at a time; every fourth one uses its neighbour's servers too. Every seventh device has a tag that puts it first.
 */
export const nightFleet = (size: NightSize, random: Random): NightFleet => {
  const fleet: NightFleet = {
    ...{ servers: [], devices: [], troubles: new Uint8Array(size.devices) },
    ...{ host_groups: new Map(), uplink_groups: new Map(), organizations: new Map() },
  };
  const own: string[][] = Array.from({ length: size.organizations }, () => []);
  for (let index = 0; index < size.servers; index += 1) {
    const owner = index % size.organizations;
    const host_group = owner % 5 === 0 ? `h${owner}` : null;
    fleet.servers.push({ server: `s${index}`, endpoint: `s${index}`, host_group, max_bitrate: null });
    own[owner]?.push(`s${index}`);
  }
  let last = 0;
  for (const [index, servers] of own.entries()) {
    if (index % 5 === 0) fleet.host_groups.set(`h${index}`, { capacity: Math.max(1, servers.length - 1) });
    const organization = `o${index}`;
    fleet.organizations.set(organization, {
      organization,
      servers: index % 4 === 3 ? [...servers, ...(own[index - 1] ?? [])] : servers,
      check: checkOfOrganization(index),
      tags: [{ tag: 'lte', check: { priority: 40 } }],
    });
    const first = last;
    const share = (index + 1 + random.between(-0.1, 0.1)) / size.organizations;
    last = index === size.organizations - 1 ? size.devices : Math.round(share * size.devices);
    for (let place = 0; place < last - first; place += 1) addDevice(fleet, organization, place, random);
  }
  return fleet;
};

const addDevice = (fleet: NightFleet, organization: string, place: number, random: Random): void => {
  const { devices, troubles, uplink_groups } = fleet;
  const tower = Math.floor(place / 100);
  const uplink_group = place % 100 < BEHIND_A_TOWER ? `u-${organization}-${tower}` : null;
  if (uplink_group !== null) uplink_groups.set(uplink_group, { capacity: tower % 4 === 3 ? 2 : 1 });
  const tags = place % 7 === 0 ? LTE : NO_TAGS;
  troubles[devices.length] = someTrouble(random.next() * 1e6);
  devices.push({ device: `d${devices.length}`, organization, tags, uplink_group });
};

const someTrouble = (lot: number): number => {
  let rest = lot;
  for (const [index, trouble] of TROUBLES.entries()) {
    if (trouble === 'none') continue;
    rest -= TROUBLE_PER_MILLION[trouble];
    if (rest < 0) return index;
  }
  return 0;
};
