import { sleep, systemClock } from '../../../broker/clock.ts';
import { PREPARE_TTL_MS, READY_INTERVAL_MS } from '../../../broker/contract/numbers.ts';
import { until } from '../../helpers/until.ts';
import { type Case, must } from '../case.ts';
import { prepareOf, startOf } from '../plans.ts';

/** What a message may be late on a busy machine, without anybody being wrong. */
const LATE_MS = 20_000;

export const READY_CASES: readonly Case[] = [
  {
    rule: 'R1',
    title: 'ready is repeated every 2.5 s with a new nonce, and no longer when the run is cancelled',
    long: true,
    async run(world) {
      await world.start();
      const { controller } = world;
      // Said once: each time that it comes may be answered by another ready.
      await controller.say(prepareOf('run-1', await world.server()));
      const first = await controller.event('ready', { run: 'run-1' });
      const all = await until(
        'ready is said three times more',
        () => {
          const said = controller.events('ready', { run: 'run-1' });
          return said.length >= 4 ? said : null;
        },
        60,
      );
      const took_ms = (all[3]?.at_ms ?? 0) - first.at_ms;
      must(new Set(all.map(({ nonce }) => nonce)).size === all.length, 'a nonce came twice');
      must(took_ms > READY_INTERVAL_MS, `three times more take ${Math.round(took_ms)} ms only`);
      must(took_ms < 3 * READY_INTERVAL_MS + LATE_MS, `three times more take ${Math.round(took_ms)} ms`);
      await controller.cancel('run-1');
      await controller.barrier();
      const from = controller.position;
      await controller.never(
        'it says ready after cancel',
        () => controller.events('ready', {}, from).length > 0,
        2 * READY_INTERVAL_MS,
      );
    },
  },
  {
    rule: 'R1',
    title: 'nothing runs while it is prepared, and nonces are new after another prepare and another start of the agent',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const nonces: string[] = [];
      for (const run of ['run-1', 'run-1', 'run-2'])
        nonces.push((await controller.prepare(prepareOf(run, server))).nonce);
      await world.agent.killAll();
      await world.start();
      nonces.push((await controller.prepare(prepareOf('run-2', server))).nonce);
      must(new Set(nonces).size === nonces.length, `a nonce came twice: ${nonces}`);
      await controller.never('iperf3 runs without a start', () => server.visits.length > 0);
    },
  },
  {
    rule: 'R1',
    title: 'a prepare of 10 minutes is forgotten',
    slow: true,
    async run(world) {
      await world.start();
      const { controller } = world;
      const command = prepareOf('run-1', await world.server());
      await controller.prepare(command);
      await sleep(systemClock, PREPARE_TTL_MS + LATE_MS);
      const from = controller.position;
      const nonce = controller.events('ready', { run: 'run-1' }).at(-1)?.nonce ?? '';
      await controller.never(
        'it still says ready',
        () => controller.events('ready', {}, from).length > 0,
        2 * READY_INTERVAL_MS,
      );
      must(
        (await controller.ask(startOf(command, 1, nonce))).type === 'declined',
        'it starts a run prepared 10 minutes ago',
      );
    },
  },
];
