import type { TestPlan } from '../../broker/contract/messages.ts';
import type { RunRequest } from '../../controller/slots/events.ts';
import type { Random } from './random.ts';

/** Who takes part in a night. */
export interface Fleet {
  servers: string[];
  devices: string[];
  host_group_of: Map<string, string>;
  uplink_of: Map<string, string>;
  host_groups: Map<string, { capacity: number }>;
  uplink_groups: Map<string, { capacity: number }>;
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);

const group = (members: string[], name: string, random: Random, share: number): Map<string, string> =>
  new Map(members.filter(() => random.chance(share)).map((member) => [member, name]));

export const someFleet = (random: Random): Fleet => {
  const servers = names('s', random.whole(1, 3));
  const devices = names('d', random.whole(2, 6));
  return {
    servers,
    devices,
    host_group_of: group(servers, 'h', random, random.chance(0.5) ? 0.9 : 0),
    uplink_of: group(devices, 'u', random, random.chance(0.5) ? 0.7 : 0),
    host_groups: new Map([['h', { capacity: random.whole(1, 2) }]]),
    uplink_groups: new Map([['u', { capacity: random.whole(1, 2) }]]),
  };
};

const someTest = (random: Random, index: number): TestPlan => ({
  test: `t${index}`,
  protocol: 'tcp',
  direction: 'upload',
  duration_s: random.whole(1, 8),
  omit_s: random.whole(0, 1),
  streams: 1,
  bitrate: null,
  length: null,
  window: null,
  congestion: null,
});

/** A run of a random device, to be taken up `now` by the controller's clock. */
export const someRun = (
  fleet: Fleet,
  random: Random,
  run: string,
  device: string,
  patience_ms: number,
): Omit<RunRequest, 'not_before' | 'window_end'> & { patience_ms: number } => ({
  run,
  device,
  organization: 'o',
  tags: [],
  servers: random.shuffled(fleet.servers).slice(0, random.whole(1, fleet.servers.length)),
  uplink_group: fleet.uplink_of.get(device) ?? null,
  tests: Array.from({ length: random.whole(1, 2) }, (_, index) => someTest(random, index)),
  on_demand: random.chance(0.3),
  priority: 10,
  max_cross_traffic: null,
  patience_ms,
});
