import { systemClock } from '../../../broker/clock.ts';
import { KILL_AFTER_TERM_MS } from '../../../broker/contract/numbers.ts';
import { isRunning } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';
import { type Case, must } from '../case.ts';
import { QUICK } from '../fake-iperf3.ts';
import { plan, prepareOf, startOf } from '../plans.ts';

const NOWHERE = { host: '127.0.0.1', port: 1 };

/** cancel. */
export const CANCEL_CASES: readonly Case[] = [
  {
    rule: 'C1',
    title: 'cancel ends iperf3 at once, and declined with token and nonce says so',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const { run, token, nonce } = await controller.begin(prepareOf('run-1', server, [plan({ duration_s: 300 })]), 5);
      await until('iperf3 comes', () => server.present === 1);
      await controller.cancel(run);
      await controller.event('declined', { run, token, nonce });
      must(world.agent.iperf3().length === 0, 'it says declined while its iperf3 is alive');
      await until('iperf3 has gone', () => server.present === 0);
      await controller.never('it sends a result or says finished', () => {
        return controller.results(run).length + controller.events('finished', { run }).length > 0;
      });
    },
  },
  {
    rule: 'C1',
    title:
      'an iperf3 that ignores TERM is killed 2 s later; until then its token is not declined, and no other run is started',
    async run(world) {
      const fake = world.stubbornIperf3();
      await world.start();
      const { controller } = world;
      const start = await controller.begin(prepareOf('run-1', NOWHERE, [plan({ duration_s: 300 })]), 5);
      const { pid } = await until('iperf3 runs', () => fake.calls()[0]);
      const begin = systemClock.now();
      await controller.cancel('run-1');
      await controller.say(start);
      await controller.say({ ...prepareOf('run-2', NOWHERE) });
      const { at_ms } = await controller.event('declined', { run: 'run-1', token: 5, nonce: start.nonce });
      must(!isRunning(pid), 'it says declined while its iperf3 is alive');
      must(
        at_ms - begin >= KILL_AFTER_TERM_MS - 100,
        `it is gone after ${Math.round(at_ms - begin)} ms: that was no TERM`,
      );
      must(fake.calls().length === 1, 'iperf3 was started again');
    },
  },
  {
    rule: 'C1',
    title: 'the tokens of a cancelled run are dead',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const command = prepareOf('run-1', server, [plan({ duration_s: 300 })]);
      const start = await controller.begin(command, 5);
      await until('iperf3 comes', () => server.present === 1);
      await controller.cancel('run-1');
      await controller.event('declined', { run: 'run-1', token: 5 });
      must((await controller.ask(start)).type === 'declined', 'it starts the cancelled run again');
      const { nonce } = await controller.prepare(command);
      must((await controller.ask(startOf(command, 5, nonce))).type === 'declined', 'it starts a cancelled token');
      must(server.visits.length === 1, 'iperf3 came again');
      await controller.begin(command, 6);
    },
  },
  {
    rule: 'C1',
    title: 'cancel of a run that is prepared: it can not be started any more',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const command = prepareOf('run-1', server);
      const { nonce } = await controller.prepare(command);
      await controller.cancel('run-1');
      must((await controller.ask(startOf(command, 1, nonce))).type === 'declined', 'it starts what was cancelled');
      await controller.never('iperf3 runs', () => server.visits.length > 0);
    },
  },
  {
    rule: 'C1',
    title: 'cancel forgets the kept result of its run, and no other',
    async run(world) {
      world.fakeIperf3(QUICK);
      await world.start();
      const { controller } = world;
      await controller.measure(prepareOf('run-1', NOWHERE), 1);
      await controller.measure(prepareOf('run-2', NOWHERE), 2);
      await controller.cancel('run-1');
      await controller.cancel('run-3');
      await controller.barrier();
      const from = await world.reconnect();
      await controller.result('run-2', { from });
      await controller.never(
        'the result of a cancelled run is sent',
        () => controller.results('run-1', from).length > 0,
      );
    },
  },
];
