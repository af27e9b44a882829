import '../../agent/hosts/node/builtins.ts';
import type { AgentStatus } from '../../broker/contract/messages.ts';
import { Broker } from './broker.ts';
import { type Character, someCharacter } from './character.ts';
import type { ControllerWorld, Maintenance } from './controller-machine.ts';
import { Device } from './device.ts';
import { type Fleet, someFleet } from './fleet.ts';
import { Iperf3Server } from './iperf3-server.ts';
import { IdleLaw } from './laws/idle-law.ts';
import { Laws } from './laws/laws.ts';
import type { Expected } from './laws/record-laws.ts';
import { CALM, Network } from './network.ts';
import { someTests, TAG } from './organizations.ts';
import type { PromiseName } from './promises.ts';
import { Random } from './random.ts';
import { SimulatedController } from './simulated-controller.ts';
import { Timeline } from './timeline.ts';
import { Trace } from './trace.ts';
import { arrange } from './troubles.ts';

/** Troubles happen up to here, and nights begin. */
const TROUBLE_MS = 420_000;
/** Two leases of one server in full, each with its rest, a stranger's rest, and the longest window. */
const SETTLE_MS = 1_500_000;
const LAST_RUNS_MS = 900_000;
/** Longer than a result is waited for, also when the clock went back by hours before. */
const DAY_AND_MORE_MS = 72 * 3_600_000;

export interface NightOptions {
  seed: number;
  /** What is not kept in this world. */
  broken?: PromiseName | null;
  /** Makes the night more of one kind, so that what is broken comes to bear. */
  character?: Partial<Character>;
  trace?: Trace;
}

/** How many runs ended with which outcome. */
export type Outcomes = Map<string, number>;

const LEFTOVER: AgentStatus = {
  online: true,
  boot: 'old',
  agent: null,
  host: null,
  iperf3: null,
  capabilities: [],
  pending: 0,
};

const leaveBehind = (broker: Broker, fleet: Fleet, random: Random): void => {
  for (const { device } of fleet.members)
    if (random.chance(0.5)) broker.rememberStatus(device, { ...LEFTOVER, online: random.chance(0.5) });
  for (const server of fleet.servers) {
    if (!random.chance(0.3)) continue;
    const length_ms = random.chance(0.7) ? random.between(1000, 100_000) : null;
    broker.remember(server, { device: 'd1', run: 'stranger', token: 7, until: null, length_ms, state: null });
  }
};

const someMaintenance = (fleet: Fleet, random: Random): Maintenance[] =>
  fleet.servers
    .filter(() => random.chance(0.7))
    .map((server) => {
      const from = random.between(30_000, TROUBLE_MS);
      return { server, from, to: from + random.between(10_000, 120_000) };
    });

/**
 * One night, or a few of them, from one seed: trouble, then calm, then a last run for everybody, and a day later. Throws BrokenLaw when a
 * law does not hold.
 */
export const runNight = ({
  seed,
  broken = null,
  character: tilt = {},
  trace = new Trace(),
}: NightOptions): Outcomes => {
  const random = new Random(seed);
  const timeline = new Timeline();
  const fleet = someFleet(random);
  const character: Character = { ...someCharacter(random), ...tilt };
  const laws = new Laws(fleet, () => timeline.now);
  const up = new Network(timeline, random, character.up);
  const down = new Network(timeline, random, character.down);
  const broker = new Broker(down, (server, slot) => laws.shown.retained(server, slot));
  const servers = new Map(fleet.servers.map((name) => [name, new Iperf3Server(name, timeline)]));
  for (const server of servers.values()) {
    if (character.one_off) server.restart_ms = random.between(10, 900);
    if (broken === 'quarantine') server.ghost_factor = 3;
  }
  if (character.leftovers) leaveBehind(broker, fleet, random);

  const outcomes: Outcomes = new Map();
  const { refusing, deaf, syn_loss, link_loss } = character;
  const world = { timeline, random, broker, up, laws, trace, servers, broken };
  const devices = fleet.members.map(({ device }) => {
    const is_real = random.chance(character.real);
    return new Device(device, '', world, { is_real, refusing, deaf, syn_loss, link_loss });
  });
  if (broken === 'one-name-one-device')
    for (const { name, traits } of [...devices]) devices.push(new Device(name, '-twin', world, traits));
  const maintenance = character.maintenance ? someMaintenance(fleet, random) : [];
  const over_budget = new Set(character.over_budget ? [random.pick(fleet.members)?.device ?? ''] : []);
  const around: ControllerWorld = {
    ...world,
    fleet,
    over_budget,
    ended: (outcome, reason) => {
      const how = reason === null ? outcome : `${outcome}: ${reason.replace(/:.*/s, '')}`;
      outcomes.set(how, (outcomes.get(how) ?? 0) + 1);
    },
  };
  const { wall_ms } = fleet.calendar;
  const controllers = ['c1', 'c2'].slice(0, character.controllers).map((name, index) => {
    const offset_ms = index === 0 ? 0 : random.between(-600_000, 600_000);
    return new SimulatedController(name, around, wall_ms + offset_ms, maintenance);
  });
  const [main, ...others] = controllers;
  if (main === undefined) throw new Error('a night needs a controller');

  for (const controller of controllers) {
    const at_once = controller === main || random.chance(0.5);
    timeline.after(at_once ? random.between(0, 200) : random.between(0, TROUBLE_MS), () => controller.start());
  }
  // The service manager of the others starts them again and again.
  for (const other of others)
    for (let at = random.between(0, 30_000); at < TROUBLE_MS; at += random.between(5000, 60_000))
      timeline.after(at, () => other.start());
  for (const device of devices) timeline.after(random.between(0, 5000), () => device.start());
  if (character.is_calm)
    new IdleLaw({ timeline, laws, fleet, controller: main, devices, servers, maintenance }).watch(TROUBLE_MS);
  arrange({ timeline, random, fleet, devices, controllers, servers: [...servers.values()] }, character, TROUBLE_MS);
  timeline.runUntil(TROUBLE_MS);

  trace.say(timeline.now, 'world', () => 'calm from now on');
  up.weather = CALM;
  down.weather = CALM;
  main.lastNight();
  for (const other of others) other.stop();
  for (const controller of controllers) controller.calm();
  // What is still to happen has happened by then.
  timeline.runUntil(TROUBLE_MS + 120_000);
  for (const other of others) other.stop();
  for (const server of servers.values()) server.mood = 'well';
  main.resume();
  main.start();
  for (const device of devices) {
    device.traits.refusing = 0;
    device.traits.syn_loss = 0;
    device.traits.link_loss = 0;
    // A message of a lasting connection is not lost for ever: what was lost above came with a new connection.
    device.disconnect();
    device.start();
    device.connect();
  }
  timeline.runUntil(TROUBLE_MS + SETTLE_MS);
  letFinish(timeline, laws);
  expectNobodyBusy(laws, main);

  const last = fleet.members.flatMap(({ device, organization }) => {
    if (over_budget.has(device)) return [];
    return main.demand({ device, organization, server: null, tests: someTests(random) }, LAST_RUNS_MS) ?? [];
  });
  timeline.runUntil(TROUBLE_MS + SETTLE_MS + LAST_RUNS_MS);
  letFinish(timeline, laws);
  expectNobodyBusy(laws, main);
  for (const run of last) {
    const { outcome, reason, device } = main.disk.runs.get(run) ?? { outcome: null, reason: null, device: '' };
    if (outcome !== 'success')
      laws.broken('no device is lost', `${device} is not measured any more: ${outcome}, ${reason}`);
  }
  main.jump(DAY_AND_MORE_MS);
  main.stop();
  main.start();
  timeline.runUntil(TROUBLE_MS + SETTLE_MS + LAST_RUNS_MS + 120_000);
  const expected = expectedNights(fleet);
  laws.recordsOf(main.name).check([...main.disk.runs.rows.values()], expected);
  return outcomes;
};

const expectedNights = ({ calendar, members }: Fleet): Expected[] =>
  calendar.organizations.flatMap(({ settings: { organization, check }, nights, tagged }) => {
    const devicesWith = (hasTag: boolean) =>
      members
        .filter((member) => member.organization === organization && member.tags.includes(TAG) === hasTag)
        .map(({ device }) => device);
    return [
      { organization, nights, window_ms: check.window_ms, devices: devicesWith(false) },
      { organization, ...tagged, devices: devicesWith(true) },
    ];
  });

/** A run that is spread over its night may have begun a moment ago: it has a minute to come to its end, twice what any takes here. */
const letFinish = (timeline: Timeline, laws: Laws): void => {
  const end = timeline.now + 60_000;
  while (laws.clients.all().length > 0 && timeline.now < end) timeline.runUntil(timeline.now + 5000);
};

/** Nothing is left: no client, no lease on disk, every server idle. */
const expectNobodyBusy = (laws: Laws, controller: SimulatedController): void => {
  const clients = laws.clients.all();
  if (clients.length > 0) laws.broken('no server is lost', `${clients[0]?.device} has a client for ever`);
  const leases = controller.disk.leasesInOrder();
  if (leases.length > 0) laws.broken('no server is lost', `leases left on disk: ${leases.map(({ token }) => token)}`);
  for (const { server, state, on_deck } of controller.view())
    if (state !== 'idle' || on_deck !== null) laws.broken('no server is lost', `${server} is ${state} for ever`);
};
