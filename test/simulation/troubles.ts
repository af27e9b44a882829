import type { SuppressionScope } from '../../controller/schedule/suppression.ts';
import type { Character } from './character.ts';
import type { Device } from './device.ts';
import type { Fleet } from './fleet.ts';
import type { Iperf3Server } from './iperf3-server.ts';
import { someTests, TAG } from './organizations.ts';
import type { Random } from './random.ts';
import type { SimulatedController } from './simulated-controller.ts';
import type { Timeline } from './timeline.ts';

/** Everybody whom something can happen to. */
export interface Cast {
  timeline: Timeline;
  random: Random;
  fleet: Fleet;
  devices: readonly Device[];
  servers: readonly Iperf3Server[];
  controllers: readonly SimulatedController[];
}

type Trouble = () => void;

const MINUTE_MS = 60_000;

const deviceTroubles = ({ timeline, random, devices }: Cast): Trouble[] => {
  const somebody = (then: (device: Device) => void) => () => {
    const device = random.pick(devices);
    if (device !== undefined) then(device);
  };
  const back = (device: Device, from: number, to: number) =>
    timeline.after(random.between(from, to), () => device.start());
  return [
    somebody((device) => {
      device.crash();
      back(device, 0, 40_000);
    }),
    somebody((device) => {
      device.losePower();
      back(device, 1000, 90_000);
    }),
    somebody((device) => {
      device.disconnect();
      timeline.after(random.between(0, 30_000), () => device.connect());
    }),
    somebody((device) => {
      device.stop();
      back(device, 0, 5000);
    }),
    // The service manager starts it although it runs: the lock stops the second one.
    somebody((device) => device.start()),
  ];
};

const controllerTroubles = ({ timeline, random, controllers }: Cast): Trouble[] => {
  const one = (then: (controller: SimulatedController) => void) => () => {
    const controller = random.pick(controllers);
    if (controller !== undefined) then(controller);
  };
  const back = (controller: SimulatedController) =>
    timeline.after(random.between(0, random.chance(0.7) ? 10_000 : 120_000), () => controller.start());
  return [
    one((controller) => {
      controller.crash();
      back(controller);
    }),
    one((controller) => {
      controller.crashSoon();
      timeline.after(random.between(1000, 30_000), () => {
        controller.calm();
        controller.start();
      });
    }),
    one((controller) => controller.breakDown()),
    one((controller) => {
      controller.stop();
      back(controller);
    }),
    one((controller) => controller.start()),
  ];
};

const serverTroubles = ({ timeline, random, servers }: Cast): Trouble[] => {
  const one = (then: (server: Iperf3Server) => void) => () => {
    const server = random.pick(servers);
    if (server !== undefined) then(server);
  };
  const heal = (server: Iperf3Server) =>
    timeline.after(random.between(1000, 90_000), () => {
      server.mood = 'well';
    });
  return [
    one((server) => server.outsider(random.between(1000, 60_000))),
    one((server) => server.outsider(random.between(1000, 60_000))),
    one((server) => {
      server.mood = 'silent';
      heal(server);
    }),
    one((server) => {
      server.die();
      heal(server);
    }),
  ];
};

/** Forward or back, by seconds, minutes or hours. */
const clockJumps = ({ random, controllers }: Cast): Trouble[] => [
  () => {
    const size_ms = [1000, MINUTE_MS, 10 * MINUTE_MS, random.chance(0.1) ? 300 * MINUTE_MS : 30 * MINUTE_MS];
    const ms = random.between(-1, 1) * (random.pick(size_ms) ?? 0);
    random.pick(controllers)?.jump(ms);
  },
];

const peoplesWishes = ({ timeline, random, controllers, fleet }: Cast): Trouble[] => {
  const someScope = (): SuppressionScope => {
    const { members, servers } = fleet;
    const member = random.pick(members);
    const scopes: SuppressionScope[] = [
      { scope: 'fleet' },
      { scope: 'organization', name: member?.organization ?? '' },
      { scope: 'server', name: random.pick(servers) ?? '' },
      { scope: 'device', name: member?.device ?? '' },
      { scope: 'tag', name: TAG },
    ];
    return random.pick(scopes) ?? { scope: 'fleet' };
  };
  return [
    () => {
      const controller = random.pick(controllers);
      const run = random.pick(controller?.openRuns() ?? []);
      if (run !== undefined) controller?.cancel(run);
    },
    () => random.pick(controllers)?.suppress(someScope(), random.between(5000, 150_000), random.chance(0.3)),
    () => {
      const controller = random.pick(controllers);
      timeline.after(random.between(0, 30_000), () => controller?.resume());
    },
  ];
};

const demands = ({ random, controllers, fleet }: Cast): Trouble[] => [
  () => {
    const member = random.pick(fleet.members);
    if (member === undefined) return;
    const { device, organization } = member;
    const server = random.chance(0.3) ? (random.pick(fleet.servers) ?? null) : null;
    const tests = someTests(random);
    random.pick(controllers)?.demand({ device, organization, server, tests }, random.between(30_000, 400_000));
  },
];

/** Puts the troubles of a night on the timeline, up to `until_ms`. */
export const arrange = (cast: Cast, character: Character, until_ms: number): void => {
  const { timeline, random } = cast;
  const kinds: [number, Trouble[]][] = [
    [character.device_troubles, deviceTroubles(cast)],
    [character.controller_troubles, controllerTroubles(cast)],
    [character.server_troubles, serverTroubles(cast)],
    [character.clock_jumps, clockJumps(cast)],
    [character.people, peoplesWishes(cast)],
    [character.demands, demands(cast)],
  ];
  for (const [count, troubles] of kinds) {
    for (let index = 0; index < count; index += 1) {
      const happens = random.pick(troubles);
      if (happens !== undefined) timeline.after(random.between(0, until_ms), happens);
    }
  }
};
