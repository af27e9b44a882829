import { sleep, systemClock } from '../../../broker/clock.ts';
import { START_WINDOW_MS } from '../../../broker/contract/numbers.ts';
import { until } from '../../helpers/until.ts';
import { type Case, must } from '../case.ts';
import { plan, prepareOf, startOf } from '../plans.ts';

/** Runs on until somebody ends it. */
const LONG = [plan({ duration_s: 300 })];

export const START_CASES: readonly Case[] = [
  {
    rule: 'L1',
    title: 'a start with a nonce older than 5 s is declined, and nothing runs',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const command = prepareOf('run-1', server);
      const { nonce, at_ms } = await controller.prepare(command);
      await sleep(systemClock, at_ms + START_WINDOW_MS + 200 - systemClock.now());
      const answer = await controller.ask(startOf(command, 1, nonce));
      must(answer.type === 'declined', 'it starts late');
      await controller.never('iperf3 runs', () => server.visits.length > 0);
    },
  },
  {
    rule: 'L1',
    title: 'a start with a nonce that it did not send, or sent for another run, is declined',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const [one, two] = [prepareOf('run-1', server), prepareOf('run-2', server)];
      const first = await controller.prepare(one);
      const second = await controller.prepare(two);
      const starts = [
        startOf(two, 1, 'invented'),
        startOf(two, 2, first.nonce),
        startOf(one, 3, second.nonce),
        startOf(one, 4, first.nonce),
      ];
      for (const start of starts) {
        const answer = await controller.ask(start);
        must(answer.type === 'declined', `it starts ${start.run} with token ${start.token}`);
      }
      await controller.never('iperf3 runs', () => server.visits.length > 0);
    },
  },
  {
    rule: 'L1a',
    title: 'a start for another server, or a shorter lease, than what is prepared is declined',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const command = prepareOf('run-1', server);
      const wrong = [
        { server: { host: '127.0.0.2', port: server.port } },
        { server: { host: server.host, port: server.port === 1 ? 2 : 1 } },
        { lease_ms: command.lease_ms - 1 },
      ];
      for (const [index, more] of wrong.entries()) {
        const { nonce } = await controller.prepare(command);
        const answer = await controller.ask({ ...startOf(command, index + 1, nonce), ...more });
        must(answer.type === 'declined', `it starts although ${JSON.stringify(more)} was not prepared`);
      }
      await controller.never('iperf3 runs', () => server.visits.length > 0);
      await controller.begin(command, 9, { server: null, lease_ms: command.lease_ms + 60_000 });
    },
  },
  {
    rule: 'L2',
    title: 'a start that comes twice runs once; while it runs it is answered by started',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const start = await controller.begin(prepareOf('run-1', server, LONG), 1);
      const from = controller.position;
      await controller.say(start);
      await controller.ask(start);
      await controller.barrier();
      must(controller.events('declined', { run: 'run-1' }).length === 0, 'it declines the token that is running');
      must(controller.events('started', { run: 'run-1', token: 1 }, from).length > 0, 'the second start has no answer');
      await until('iperf3 comes', () => server.visits.length > 0);
      await controller.never('a second iperf3 comes', () => server.visits.length > 1 || server.present !== 1);
    },
  },
  {
    rule: 'L2',
    title: 'accepting a start uses up all nonces of the run: another token does not start it again',
    async run(world) {
      const fake = world.fakeIperf3('sleep 1');
      await world.start();
      const { controller } = world;
      const command = prepareOf('run-1', { host: '127.0.0.1', port: 1 });
      const spare = await controller.prepare(command);
      const start = await controller.begin(command, 1);
      must(spare.nonce !== start.nonce, 'a nonce came twice');
      for (const token of [2, 3]) {
        // First while it runs, then when it is over.
        for (const nonce of [spare.nonce, start.nonce]) {
          const answer = await controller.ask({ ...start, token: 10 * token + Number(nonce === start.nonce), nonce });
          must(answer.type === 'declined', `token ${answer.token} is started with a nonce that was used up`);
        }
        await controller.event('finished', { run: 'run-1', token: 1 });
      }
      await controller.never('iperf3 ran again', () => fake.calls().length !== 1);
    },
  },
  {
    rule: 'L2',
    title: 'the start of a run that is over is answered by started, finished and the result, and does not run again',
    async run(world) {
      const fake = world.fakeIperf3('true');
      await world.start();
      const { controller } = world;
      const start = await controller.begin(prepareOf('run-1', { host: '127.0.0.1', port: 1 }), 1);
      await controller.result('run-1');
      const from = controller.position;
      must((await controller.ask(start)).type === 'started', 'it declines the token of a result that it keeps');
      await controller.event('finished', { run: 'run-1', token: 1 }, { from });
      await controller.result('run-1', { from });
      await controller.never('iperf3 ran again', () => fake.calls().length !== 1);
    },
  },
  {
    rule: 'L3',
    title: 'every start is answered with its token and nonce, and a declined token is dead',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const command = prepareOf('run-1', server);
      must((await controller.ask(startOf(command, 1, 'early'))).type === 'declined', 'it starts what is not prepared');
      const { nonce } = await controller.prepare(command);
      must(
        (await controller.ask(startOf(command, 1, nonce))).type === 'declined',
        'it starts a token that it has declined',
      );
      await controller.never('iperf3 runs', () => server.visits.length > 0);
      // Another store counts from 1 again: a dead token of another run is not dead for this one.
      await controller.begin(prepareOf('run-2', server), 1);
    },
  },
  {
    rule: 'L3',
    title: 'the token that is running is not declined, whatever nonce, server or lease its start names',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const start = await controller.begin(prepareOf('run-1', server, LONG), 1);
      const from = controller.position;
      for (const more of [{ nonce: 'another' }, { server: { host: '127.0.0.2', port: 2 } }, { lease_ms: 1 }])
        await controller.say({ ...start, ...more });
      await controller.barrier();
      must(controller.events('declined', { run: 'run-1' }, from).length === 0, 'it declines the token that is running');
      must(controller.events('started', { run: 'run-1', token: 1 }, from).length > 0, 'there is no answer');
      await until('iperf3 comes', () => server.visits.length > 0);
      must(server.visits.length === 1, 'a second iperf3 came');
    },
  },
  {
    rule: 'L10',
    title: 'after it was killed and started again it declines the start of before, and runs nothing',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const start = await controller.begin(prepareOf('run-1', server, LONG), 1);
      await until('iperf3 comes', () => server.visits.length === 1);
      await world.agent.killAll();
      await world.start();
      must((await controller.ask(start)).type === 'declined', 'another boot says that it has started');
      await controller.never('iperf3 runs again', () => server.visits.length !== 1);
    },
  },
];
