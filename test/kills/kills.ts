import { setTimeout as delay } from 'node:timers/promises';
import { StatusView } from '../../controller/api/status-view.ts';
import { InfluxDb } from '../helpers/influxdb.ts';
import { Program } from '../helpers/program.ts';
import { until } from '../helpers/until.ts';
import type { Random } from '../simulation/random.ts';
import { Agents } from './agents.ts';
import { compare, type Difference } from './compare.ts';
import { DATABASE, HTTP_TOKEN, Scene } from './scene.ts';

/** So many results come between two kills, at most. */
const RESULTS_A_KILL = 60;

/** The longest time from the first result of a round to the kill: enough for all of it to be stored and exported. */
const LATEST_KILL_MS = 400;

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
  /** Kills that found points in the outbox. */
  while_exporting: number;
}

const serve = (perfleet: string, scene: Scene): Program =>
  new Program([process.execPath, perfleet, 'serve', '--config', scene.config], process.env);

const waiting = async (scene: Scene): Promise<number | null> => {
  try {
    const headers = { authorization: `Bearer ${HTTP_TOKEN}` };
    const answer = await fetch(`http://127.0.0.1:${scene.http_port}/api/1/status`, { headers });
    return StatusView.parse(await answer.json()).influx?.waiting ?? null;
  } catch {
    return null;
  }
};

/** The next result that is accepted. */
const nextAccepted = (agents: Agents): Promise<void> =>
  new Promise((resolve) => {
    agents.onAccepted = resolve;
  });

/**
 * A controller as people run it, agents that deliver results to it, and a real InfluxDB. The controller is killed (-9) `times` times at random
 * moments, and started again. At the end every point in InfluxDB is compared with the store, and the store with what agents were told.
 */
export const runKills = async ({ times, perfleet, random, say }: KillsOptions): Promise<Killed> => {
  const influxdb = await InfluxDb.prepare({ life_s: 60 + 10 * times });
  const stops: (() => unknown)[] = [() => influxdb.remove()];
  try {
    await influxdb.start();
    await influxdb.query(`CREATE DATABASE ${DATABASE}`);
    const results = (times + 1) * RESULTS_A_KILL;
    const scene = await Scene.prepare(results, influxdb.url);
    stops.push(() => scene.remove());
    const agents = new Agents(`mqtt://127.0.0.1:${scene.mqtt_port}`, scene.held);
    stops.push(() => agents.stop());
    let controller = serve(perfleet, scene);
    stops.push(() => controller.end('SIGKILL'));
    let while_exporting = 0;
    for (let kill = 1; kill <= times; kill += 1) {
      await controller.says(/the controller is running/, 30);
      const first = nextAccepted(agents);
      agents.release(kill * RESULTS_A_KILL);
      await first;
      await delay(random.between(0, LATEST_KILL_MS));
      if ((await waiting(scene)) !== 0) while_exporting += 1;
      await controller.end('SIGKILL');
      if (kill % 10 === 0) say(`${kill} kills, ${agents.accepted.size} results accepted …`);
      controller = serve(perfleet, scene);
    }
    agents.release(results);
    await until('all results are accepted', () => agents.accepted.size === results, 120);
    await until('the outbox is empty', async () => (await waiting(scene)) === 0, 120);
    await controller.end('SIGTERM');
    const difference = await compare(scene.store, influxdb, agents.accepted);
    return { kills: times, results, resent: agents.sent - results, while_exporting, ...difference };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
};
