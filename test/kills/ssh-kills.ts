import { setTimeout as delay } from 'node:timers/promises';
import type { WitnessLine } from '../../controller/demo/witness.ts';
import { FieldController } from '../helpers/field-controller.ts';
import { type FoundProcess, isRunning } from '../helpers/processes.ts';
import { Relay } from '../helpers/relay.ts';
import type { SshDevice } from '../helpers/ssh-device.ts';
import { SshField } from '../helpers/ssh-field.ts';
import { until } from '../helpers/until.ts';
import type { Random } from '../simulation/random.ts';

const ROUTERS = 4;
const SERVERS = 8;

/** Longer than an iperf3 may live that lost whoever began it: one that is left alone is seen. */
const CHECK = {
  retries: 0,
  tests: [{ protocol: 'tcp', direction: 'upload', duration: '12s', omit: '0s', bitrate: '20M' }],
};

/** How often it is looked whether somebody measures. */
const ASK_MS = 200;

/** How long a kill waits for its moment, at most. */
const LATEST_KILL_MS = 3000;

/** TERM, KILL two seconds later, and a machine that is busy. */
const GONE_MS = 6000;

/** What is killed: the controller; the connection, in between; or the SSH server on the device, with all its processes. */
const KINDS = ['controller', 'connection', 'sshd'] as const;

export interface SshKillsOptions {
  times: number;
  /** perfleet.js as it is shipped. */
  perfleet: string;
  random: Random;
  say: (line: string) => void;
}

export interface SshKilled {
  kills: Record<(typeof KINDS)[number], number>;
  /** How many iperf3 clients ran when their controller, connection or server was killed. */
  hit: number;
  /** The longest time until they were gone. */
  slowest_ms: number;
  /** iperf3 clients that were still there, with their router. Always empty. */
  orphans: string[];
  /** Clients that found another one on their server. Always empty. */
  refused: WitnessLine[];
  runs: number;
}

const iperf3On = (router: SshDevice) => router.processes().filter(({ name }) => name === 'iperf3');

const measures = (router: SshDevice): boolean => iperf3On(router).length > 0;

/** When all of these have ended, in milliseconds from now; null when one has not within GONE_MS. */
const gone = async (found: () => readonly FoundProcess[]): Promise<number | null> => {
  const began = performance.now();
  while (found().some(({ pid }) => isRunning(pid))) {
    if (performance.now() - began > GONE_MS) return null;
    await delay(20);
  }
  return performance.now() - began;
};

/** A controller, routers with dropbear and OpenSSH, and a relay on the way to each. */
class Scene {
  readonly field: SshField;
  readonly #relays: Relay[] = [];
  readonly #stops: (() => unknown)[] = [];
  runs = 0;

  constructor(field: SshField) {
    this.field = field;
    this.#stops.push(() => field.remove());
  }

  async start(perfleet: string): Promise<FieldController> {
    const addresses = new Map<string, number>();
    for (const router of this.field.routers) {
      const relay = new Relay({ host: router.address, port: router.server.port });
      addresses.set(router.name, await relay.start('127.0.0.1'));
      this.#relays.push(relay);
      this.#stops.push(() => relay.stop());
    }
    const addressOf = ({ name }: SshDevice) => ({ host: '127.0.0.1', port: addresses.get(name) ?? 0 });
    const controller = await FieldController.prepare({ field: this.field, perfleet, check: CHECK, addressOf });
    this.#stops.push(() => controller.stop());
    await controller.start();
    return controller;
  }

  /** Sees that every router has a run to do. */
  async order({ api }: FieldController): Promise<void> {
    const open = new Set((await api.runs({})).filter(({ outcome }) => outcome === null).map(({ device }) => device));
    for (const { name } of this.field.routers) {
      if (open.has(name)) continue;
      await api.orderRun({ device: name, server: null });
      this.runs += 1;
    }
  }

  /** Waits until somebody measures. What is over meanwhile is ordered anew. */
  async measuring(controller: FieldController): Promise<void> {
    await until(
      'somebody measures',
      async () => {
        await this.order(controller);
        await delay(ASK_MS);
        return this.field.routers.some(measures);
      },
      120,
    );
  }

  /** Cuts the connection to this router; a new one gets through. */
  cut(router: SshDevice): void {
    const relay = this.#relays[this.field.routers.indexOf(router)];
    relay?.cut();
    relay?.mend();
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
  }
}

/**
 * Runs over SSH that never end, and of which `times` are killed at random moments: the controller (-9), the connection or the SSH server (-9), in
 * turns. No iperf3 may outlive that, and no two may meet on a server.
 */
export const runSshKills = async ({ times, perfleet, random, say }: SshKillsOptions): Promise<SshKilled> => {
  const field = await SshField.open({ routers: ROUTERS, servers: SERVERS, kinds: ['dropbear', 'sshd'] });
  const scene = new Scene(field);
  const killed: SshKilled = {
    ...{ kills: { controller: 0, connection: 0, sshd: 0 }, hit: 0, slowest_ms: 0, orphans: [], refused: [], runs: 0 },
  };
  let kinds: (typeof KINDS)[number][] = [];
  try {
    const controller = await scene.start(perfleet);
    for (let kill = 1; kill <= times; kill += 1) {
      await controller.inCharge();
      await scene.order(controller);
      // Most in the middle of a test, the others while somebody connects, looks or waits.
      if (random.chance(0.8)) await scene.measuring(controller);
      await delay(random.between(0, LATEST_KILL_MS));
      if (kinds.length === 0) kinds = random.shuffled(KINDS);
      const kind = kinds.pop() ?? 'controller';
      // The one with something to lose, if there is one.
      const busy = field.routers.filter(measures);
      const router = random.pick(busy.length > 0 ? busy : field.routers);
      if (router === undefined) break;
      const all = () => field.routers.flatMap(iperf3On);
      const hit = kind === 'controller' ? all() : iperf3On(router);
      if (kind === 'controller') await controller.end('SIGKILL');
      else if (kind === 'connection') scene.cut(router);
      else router.killServer();
      let took_ms = await gone(() => hit);
      if (kind === 'controller') {
        await controller.start();
        // Nobody begins one before it is in charge: not even what was just about to begin may be there.
        if ((await gone(all)) === null) took_ms = null;
      }
      killed.kills[kind] += 1;
      killed.hit += hit.length > 0 ? 1 : 0;
      killed.slowest_ms = Math.max(killed.slowest_ms, took_ms ?? GONE_MS);
      if (took_ms === null) killed.orphans.push(`${kind} of ${router.name}: ${JSON.stringify(all())}`);
      if (kill % 10 === 0) say(`${kill} kills …`);
    }
    await controller.end('SIGTERM');
    const left = () => field.routers.flatMap(iperf3On);
    if ((await gone(left)) === null) killed.orphans.push(`at the end: ${JSON.stringify(left())}`);
    const refused = field.witness().filter(({ what }) => what === 'refused');
    return { ...killed, refused, runs: scene.runs };
  } finally {
    await scene.stop();
  }
};
