import { type Fleet, someFleet, someRun } from './fleet.ts';
import { Laws } from './laws.ts';
import { CALM, Network } from './network.ts';
import { Random } from './random.ts';
import { SimulatedAgent } from './simulated-agent.ts';
import { SimulatedController } from './simulated-controller.ts';
import { Timeline } from './timeline.ts';

const TROUBLE_MS = 240_000;
/** Two leases of one server in full, each with its rest, and the longest window. */
const SETTLE_MS = 900_000;
const LAST_RUNS_MS = 600_000;

const someWeather = (random: Random) => {
  const bad = random.chance(0.7);
  return {
    loss: bad ? random.between(0, 0.3) : 0,
    doubling: bad ? random.between(0, 0.3) : 0,
    slow: bad ? random.between(0, 0.4) : 0,
    slow_ms: random.between(1000, 20_000),
  };
};

/**
 * A night of trouble, then calm: messages are delayed, lost, doubled and overtaken, agents and controllers crash, devices lose
 * their power, people cancel. Throws when a law of the slots is broken. Returns how often runs ended in which way.
 */
export const runNight = (seed: number): Map<string, number> => {
  const random = new Random(seed);
  const timeline = new Timeline();
  const fleet: Fleet = someFleet(random);
  const laws = new Laws(fleet, () => timeline.now);
  const up = new Network(timeline, random, someWeather(random));
  const down = new Network(timeline, random, someWeather(random));
  const agents = new Map<string, SimulatedAgent>();
  const controller = new SimulatedController({
    timeline,
    random,
    network: down,
    laws,
    fleet,
    toAgent: (command) => agents.get(command.device)?.receive(command),
  });
  for (const device of fleet.devices) {
    const world = { timeline, random, network: up, laws, toBroker: controller.hear.bind(controller) };
    agents.set(device, new SimulatedAgent(device, world));
  }

  const somebody = (): SimulatedAgent | undefined => random.shuffled([...agents.values()])[0];
  const powerOn = (agent: SimulatedAgent): void => {
    if (!agent.isUp) agent.powerOn();
  };
  const troubles: (() => void)[] = [
    () => {
      const agent = somebody();
      agent?.crash();
      if (agent) timeline.after(random.between(0, 40_000), () => powerOn(agent));
    },
    () => {
      const agent = somebody();
      agent?.losePower();
      if (agent) timeline.after(random.between(1000, 90_000), () => powerOn(agent));
    },
    () => {
      const agent = somebody();
      agent?.disconnect();
      timeline.after(random.between(0, 30_000), () => agent?.connect());
    },
    () => {
      controller.crash();
      timeline.after(random.between(0, 30_000), () => controller.isUp || controller.start());
    },
    () => {
      controller.crashSoon();
      timeline.after(random.between(1000, 30_000), () => controller.isUp || controller.start());
    },
    () => {
      controller.disconnect();
      timeline.after(random.between(0, 20_000), () => controller.reconnect());
    },
  ];

  timeline.after(0, () => controller.start());
  for (const agent of agents.values()) timeline.after(random.between(0, 5000), () => powerOn(agent));
  const count = random.whole(3, 14);
  for (let index = 0; index < count; index += 1) {
    const device = fleet.devices[random.whole(0, fleet.devices.length - 1)] ?? '';
    const order = someRun(fleet, random, `r${index}`, device, random.between(30_000, 400_000));
    timeline.after(random.between(0, TROUBLE_MS / 2), () => controller.submit(order));
    if (random.chance(0.15)) timeline.after(random.between(0, TROUBLE_MS), () => controller.cancel(order.run));
  }
  const trouble = random.chance(0.2) ? 0 : random.whole(1, random.chance(0.3) ? 40 : 12);
  for (let index = 0; index < trouble; index += 1) {
    const happens = troubles[random.whole(0, troubles.length - 1)];
    if (happens) timeline.after(random.between(0, TROUBLE_MS), happens);
  }
  timeline.runUntil(TROUBLE_MS);

  up.weather = CALM;
  down.weather = CALM;
  timeline.runUntil(TROUBLE_MS + 100_000);
  controller.calm();
  if (!controller.isUp) controller.start();
  controller.reconnect();
  for (const agent of agents.values()) {
    agent.refusing = 0;
    powerOn(agent);
    agent.connect();
  }
  timeline.runUntil(TROUBLE_MS + SETTLE_MS);
  controller.allIdle();
  laws.allOver();

  const before = laws.ends.get('released') ?? 0;
  for (const device of fleet.devices) controller.submit(someRun(fleet, random, `last-${device}`, device, LAST_RUNS_MS));
  timeline.runUntil(TROUBLE_MS + SETTLE_MS + LAST_RUNS_MS);
  controller.allIdle();
  laws.allOver();
  if ((laws.ends.get('released') ?? 0) - before !== fleet.devices.length)
    laws.broken('a device is not measured any more');
  return laws.ends;
};
