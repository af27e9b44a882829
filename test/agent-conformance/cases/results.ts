import { RESEND_FIRST_MS } from '../../../broker/contract/numbers.ts';
import { until } from '../../helpers/until.ts';
import { type Case, must, oneOf } from '../case.ts';
import { QUICK } from '../fake-iperf3.ts';
import { plan, prepareOf } from '../plans.ts';

const NOWHERE = { host: '127.0.0.1', port: 1 };

/** More than a router should keep. */
const MANY = 70;

export const RESULT_CASES: readonly Case[] = [
  {
    rule: 'F1',
    title: 'a whole run: started, finished when no iperf3 is alive, then the result with iperf3’s own output',
    async run(world) {
      await world.start();
      const { controller } = world;
      const real = await world.iperf3Server();
      const server = await world.server({ target: real.port });
      const tests = [plan(), plan({ test: 'tcp-download', direction: 'download' })];
      const start = await controller.begin(prepareOf('run-1', server, tests), 42);
      await controller.event('finished', { run: 'run-1', token: 42 });
      must(world.agent.iperf3().length === 0, 'it says finished while its iperf3 is alive');
      const result = await controller.result('run-1');
      const [started] = controller.events('started', start.run === 'run-1' ? { run: 'run-1' } : {});
      must(result.token === 42 && result.boot === started?.boot, 'token or boot is not that of the run');
      must(
        result.tests.map(({ test }) => test).join() === 'tcp-upload,tcp-download',
        'its tests are not those of the plan',
      );
      let last_ms = 0;
      for (const { test, stdout, exit_code, started_ms, ended_ms } of result.tests) {
        must(exit_code === 0 && 'end' in JSON.parse(stdout), `${test} has no output of iperf3`);
        must(
          started_ms >= last_ms && ended_ms - started_ms >= 1000,
          `${test} took from ${started_ms} to ${ended_ms} ms`,
        );
        last_ms = ended_ms;
      }
    },
  },
  {
    rule: 'F1',
    title: 'the result is written down before finished: killed at that word, the next start sends it',
    async run(world) {
      world.fakeIperf3(QUICK);
      await world.start();
      const { controller } = world;
      await controller.begin(prepareOf('run-1', NOWHERE), 3);
      await controller.event('finished', { run: 'run-1', token: 3 });
      await world.agent.killAll();
      const from = controller.position;
      const { boot } = await world.start();
      const result = await controller.result('run-1', { from });
      must(
        result.token === 3 && result.boot === boot,
        'the result has not the token of its run and the boot of who speaks',
      );
      must(result.tests[0]?.stdout === 'measured\n', `stdout is ${JSON.stringify(result.tests[0]?.stdout)}`);
    },
  },
  {
    rule: 'F2',
    title: 'a result is sent again when the agent reconnects, until it is accepted with its run and token',
    async run(world) {
      world.fakeIperf3(QUICK);
      await world.start();
      const { controller } = world;
      const { tests } = await controller.measure(prepareOf('run-1', NOWHERE), 3);
      await controller.accept('run-1', 4);
      await controller.accept('run-2', 3);
      const again = await controller.result('run-1', { from: await world.reconnect() });
      must(JSON.stringify(again.tests) === JSON.stringify(tests) && again.token === 3, 'it is another result');
      await controller.accept('run-1', 3);
      await controller.barrier();
      const from = await world.reconnect();
      await controller.never(
        'it is sent after it was accepted',
        () => controller.results('run-1', from).length > 0,
        2000,
      );
    },
  },
  {
    rule: 'F2',
    title: 'a result is sent again when the controller’s boot changes, and not when it is said again',
    async run(world) {
      world.fakeIperf3(QUICK);
      await world.start();
      const { controller } = world;
      await controller.measure(prepareOf('run-1', NOWHERE), 3);
      await oneOf(3, async () => {
        // A start that was said twice may bring it once more.
        await controller.barrier();
        const same = controller.position;
        await controller.becomes('controller-1');
        await controller.never(
          'it is sent again to the same controller',
          () => controller.results('run-1', same).length > 0,
        );
      });
      const from = controller.position;
      await controller.becomes('controller-2');
      await controller.event('finished', { run: 'run-1', token: 3 }, { from });
      await controller.result('run-1', { from });
    },
  },
  {
    rule: 'F2',
    title: 'a result that was not accepted is sent again after 60 s',
    slow: true,
    async run(world) {
      world.fakeIperf3(QUICK);
      await world.start();
      const { controller } = world;
      const first = await controller.measure(prepareOf('run-1', NOWHERE), 3);
      const from = controller.position;
      const sent_ms = controller.results('run-1')[0]?.at_ms ?? 0;
      const again = await controller.result('run-1', { from, within_s: RESEND_FIRST_MS / 1000 + 60 });
      must(again.at_ms - sent_ms > RESEND_FIRST_MS - 2000, `it comes after ${Math.round(again.at_ms - sent_ms)} ms`);
      must(again.token === first.token, 'it is another result');
    },
  },
  {
    rule: 'F3',
    title: `${MANY} results that nobody accepts: the newest are kept, the oldest dropped first, memory stays bounded`,
    long: true,
    async run(world) {
      world.fakeIperf3(`head -c 20000 /dev/zero | tr '\\0' x`);
      await world.start();
      const { controller } = world;
      const before = world.agent.memory();
      for (let token = 1; token <= MANY; token += 1) {
        await controller.begin(prepareOf(`run-${token}`, NOWHERE), token);
        await controller.event('finished', { run: `run-${token}`, token });
      }
      // The log may tell of every run; it has more to tell of one that was dropped.
      const told = (run: string) =>
        world.agent.log.split('\n').filter((line) => new RegExp(`\\b${run}\\b`).test(line)).length;
      const dropSaid = told('run-1') > told(`run-${MANY}`);
      const growth = world.agent.memory() - before;
      must(growth < 65_536, `it grew by ${growth} KiB`);
      const from = controller.position;
      await controller.becomes('controller-2');
      await controller.event('finished', { run: `run-${MANY}` }, { from });
      await controller.barrier();
      const kept = () => new Set(controller.events('finished', {}, from).map(({ token }) => token));
      await until(
        'its status counts what it has sent again',
        () => controller.statuses().at(-1)?.pending === kept().size,
      );
      const oldest = MANY - kept().size + 1;
      must(Math.min(...kept()) === oldest, `it keeps ${[...kept()].sort((a, b) => a - b)}`);
      if (oldest > 1) must(dropSaid, 'it does not say in its log that it has dropped the result of run-1');
    },
  },
];
