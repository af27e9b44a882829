import { setTimeout as delay } from 'node:timers/promises';
import { StatusView } from '../../controller/api/status-view.ts';
import { InfluxDb } from '../helpers/influxdb.ts';
import { Program } from '../helpers/program.ts';
import { until } from '../helpers/until.ts';
import type { Random } from '../simulation/random.ts';
import { Agents } from './agents.ts';
import { compare, type Difference } from './compare.ts';
import { DATABASE, HTTP_TOKEN, RECEIVERS, Scene } from './scene.ts';
import { SlowInfluxDb, SlowReceivers } from './slow-servers.ts';

/** So many results come in a burst. */
const RESULTS_A_KILL = 40;

/** Most kills come in the middle of a burst, or so soon after: points and notices are on their way. */
const SOON_MS = 20;

/** Some come when all may be over. */
const LATE_MS = 400;

/** And some at any moment of the start. */
const START_MS = 700;

/** The longest that InfluxDB and receivers waste with a request; in some lives of the controller they waste nothing. */
const SLOW_MS = { influx: 40, receivers: 8 };

export interface KillsOptions {
  times: number;
  /** perfleet.js as it is shipped. */
  perfleet: string;
  random: Random;
  say: (line: string) => void;
}

export interface Killed extends Difference {
  kills: number;
  results: number;
  /** How many results were sent more than once, because a kill came before `accepted`. */
  resent: number;
  /** Kills that found points in the outbox; notices that wait; both. */
  while_exporting: number;
  while_telling: number;
  while_both: number;
}

const serve = (perfleet: string, scene: Scene): Program =>
  new Program([process.execPath, perfleet, 'serve', '--config', scene.config], process.env);

/** How many points and notices wait. None of a controller that does not answer. */
const waiting = async (scene: Scene): Promise<{ points: number; notices: number } | null> => {
  try {
    const headers = { authorization: `Bearer ${HTTP_TOKEN}` };
    const answer = await fetch(`http://127.0.0.1:${scene.http_port}/api/1/status`, { headers });
    const { influx, receivers } = StatusView.parse(await answer.json());
    return { points: influx?.waiting ?? 0, notices: receivers.reduce((sum, one) => sum + one.waiting, 0) };
  } catch {
    return null;
  }
};

/** Lets a burst of results come, and waits for a random moment in it, after it or, before it, of the start. */
const momentToKill = async (controller: Program, agents: Agents, random: Random, upTo: number): Promise<void> => {
  if (random.chance(0.1)) return delay(random.between(0, START_MS));
  await controller.says(/the controller is running/, 30);
  const inTheBurst = agents.moreAccepted(random.whole(1, RESULTS_A_KILL));
  agents.release(upTo);
  await inTheBurst;
  await delay(random.between(0, random.chance(0.1) ? LATE_MS : SOON_MS));
};

/**
 * A controller as people run it, agents that deliver results to it, a real InfluxDB and receivers of alerts, all of them slow. The controller is
 * killed (-9) `times` times at random moments, and started again. At the end every point in InfluxDB and every notice that receivers heard are
 * compared with the store, and the store with what agents were told.
 */
export const runKills = async ({ times, perfleet, random, say }: KillsOptions): Promise<Killed> => {
  const influxdb = await InfluxDb.prepare({ life_s: 60 + 10 * times });
  const stops: (() => unknown)[] = [() => influxdb.remove()];
  try {
    await influxdb.start();
    await influxdb.query(`CREATE DATABASE ${DATABASE}`);
    const results = (times + 1) * RESULTS_A_KILL;
    const slow = { influx: new SlowInfluxDb(influxdb.url, random), receivers: new SlowReceivers(RECEIVERS, random) };
    for (const one of Object.values(slow)) {
      await one.start();
      stops.push(() => one.stop());
    }
    const scene = await Scene.prepare(results, { influx: slow.influx.url, receivers: slow.receivers.url });
    stops.push(() => scene.remove());
    const agents = new Agents(`mqtt://127.0.0.1:${scene.mqtt_port}`, scene.held);
    stops.push(() => agents.stop());
    let controller = serve(perfleet, scene);
    stops.push(() => controller.end('SIGKILL'));
    const found = { while_exporting: 0, while_telling: 0, while_both: 0 };
    for (let kill = 1; kill <= times; kill += 1) {
      slow.influx.slowness_ms = random.between(0, SLOW_MS.influx);
      slow.receivers.slowness_ms = random.chance(0.3) ? 0 : random.between(0, SLOW_MS.receivers);
      await momentToKill(controller, agents, random, kill * RESULTS_A_KILL);
      const { points, notices } = (await waiting(scene)) ?? { points: 0, notices: 0 };
      if (points > 0) found.while_exporting += 1;
      if (notices > 0) found.while_telling += 1;
      if (points > 0 && notices > 0) found.while_both += 1;
      await delay(random.between(0, 5));
      await controller.end('SIGKILL');
      if (kill % 10 === 0) say(`${kill} kills, ${agents.accepted.size} results accepted …`);
      controller = serve(perfleet, scene);
    }
    slow.influx.slowness_ms = slow.receivers.slowness_ms = 0;
    agents.release(results);
    await until('all results are accepted', () => agents.accepted.size === results, 120);
    const isAllSaid = async () => {
      const left = await waiting(scene);
      return left?.points === 0 && left.notices === 0;
    };
    await until('all points and notices are gone', isAllSaid, 300);
    await controller.end('SIGTERM');
    const difference = await compare(scene.store, influxdb, agents.accepted, slow.receivers.told);
    return { kills: times, results, resent: agents.sent - results, ...found, ...difference };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
};
