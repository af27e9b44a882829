import { type NightFleet, TROUBLES, type Trouble } from './night-fleet.ts';
import { at } from './night-queue.ts';

/** How runs of devices with this trouble may end; every one may also be missed when the window closes. */
const ENDS: Record<Trouble, readonly string[]> = {
  none: ['released'],
  'back-later': ['released', 'skipped: device-offline'],
  'never-back': ['skipped: device-offline'],
  'busy-once': ['released'],
  refuses: ['refused: iperf3-missing'],
  silent: ['skipped: device-silent'],
  'loses-power': ['overdue: no-answer-before-deadline'],
};
const MISSED = 'missed: window-closed';

/** The number of each member's group, -1 for none, and the capacities in the order of these numbers. */
const numberGroups = (names: (string | null)[], groups: ReadonlyMap<string, { capacity: number }>) => {
  const order = [...groups.keys()];
  const numbers = new Map(order.map((name, index) => [name, index]));
  return {
    groupOf: Int32Array.from(names, (name) => (name === null ? -1 : (numbers.get(name) ?? -1))),
    capacity: Int32Array.from(order, (name) => groups.get(name)?.capacity ?? 1),
    used: new Int32Array(order.length),
  };
};

/**
 * What must hold all night, seen from the iperf3 clients that really run: never two on a server, never one where a dead session is, groups
 * within their capacity; and each due run ends once, in a way that fits its device.
 */
export class NightLaws {
  readonly #fleet: NightFleet;
  /** The device whose client runs on a server, -1 for none. */
  readonly #client: Int32Array;
  readonly #haunted_until: Float64Array;
  readonly #hosts: ReturnType<typeof numberGroups>;
  readonly #uplinks: ReturnType<typeof numberGroups>;
  /** 0: no run, 1: due, 2: ended. */
  readonly #runs: Uint8Array;
  readonly ends = new Map<string, number>();
  open = 0;
  due = 0;

  constructor(fleet: NightFleet) {
    this.#fleet = fleet;
    this.#client = new Int32Array(fleet.servers.length).fill(-1);
    this.#haunted_until = new Float64Array(fleet.servers.length);
    this.#runs = new Uint8Array(fleet.devices.length);
    this.#hosts = numberGroups(
      fleet.servers.map(({ host_group }) => host_group),
      fleet.host_groups,
    );
    this.#uplinks = numberGroups(
      fleet.devices.map(({ uplink_group }) => uplink_group),
      fleet.uplink_groups,
    );
  }

  runIsDue(device: number): void {
    if (at(this.#runs, device) !== 0) throw new Error(`d${device} is due a second time`);
    this.#runs[device] = 1;
    this.open += 1;
    this.due += 1;
  }

  runEnds(device: number, how: string): void {
    if (at(this.#runs, device) !== 1) throw new Error(`the run of d${device} ends, but it is not open: ${how}`);
    this.#runs[device] = 2;
    this.open -= 1;
    const trouble = TROUBLES[at(this.#fleet.troubles, device)] ?? 'none';
    if (how !== MISSED && !ENDS[trouble].includes(how))
      throw new Error(`the run of d${device} (trouble: ${trouble}) ends ${how}`);
    this.ends.set(how, (this.ends.get(how) ?? 0) + 1);
  }

  clientStarts(device: number, server: number, now: number): void {
    const other = at(this.#client, server);
    if (other !== -1) throw new Error(`two clients on s${server}: d${other} and d${device}`);
    if (now < at(this.#haunted_until, server))
      throw new Error(`d${device} starts on s${server}, where a dead session is`);
    this.#client[server] = device;
    enter(this.#hosts, server, 'host group of s');
    enter(this.#uplinks, device, 'uplink group of d');
  }

  clientEnds(device: number, server: number): void {
    if (at(this.#client, server) !== device) throw new Error(`d${device} has no client on s${server}`);
    this.#client[server] = -1;
    leave(this.#hosts, server);
    leave(this.#uplinks, device);
  }

  /** The client's device lost its power: its session stays on the server. */
  clientVanishes(device: number, server: number, haunted_until: number): void {
    this.clientEnds(device, server);
    this.#haunted_until[server] = haunted_until;
  }

  /** What a probe finds. */
  probe(server: number, now: number): 'free' | 'busy' {
    if (at(this.#client, server) !== -1) throw new Error(`s${server} is probed while a client runs there`);
    return now < at(this.#haunted_until, server) ? 'busy' : 'free';
  }
}

const enter = ({ groupOf, capacity, used }: ReturnType<typeof numberGroups>, member: number, what: string): void => {
  const group = at(groupOf, member);
  if (group === -1) return;
  used[group] = at(used, group) + 1;
  if (at(used, group) > at(capacity, group)) throw new Error(`more clients than the capacity of the ${what}${member}`);
};

const leave = ({ groupOf, used }: ReturnType<typeof numberGroups>, member: number): void => {
  const group = at(groupOf, member);
  if (group !== -1) used[group] = at(used, group) - 1;
};
