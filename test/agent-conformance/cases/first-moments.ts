import { RETRY_DELAYS_MS } from '../../../broker/contract/numbers.ts';
import { type Case, must, oneOf } from '../case.ts';
import { prepareOf } from '../plans.ts';

const NOWHERE = { host: '127.0.0.1', port: 1 };

/** A server that answers later than in 2 s is not tried again, and on a busy machine any server may. */
const TRIES = 3;

/** Of the first two times that a busy server is tried again. */
const FIRST_DELAYS_MS = 300;

/** A server that is busy, or refuses. */
export const FIRST_MOMENT_CASES: readonly Case[] = [
  {
    rule: 'L16',
    title: 'a server that is busy is tried again after 100 and 200 ms, and then measured as if nothing had been',
    async run(world) {
      await world.start();
      const real = await world.iperf3Server();
      await oneOf(TRIES, async (turn) => {
        const server = await world.server({ busyFor: 2, target: real.port });
        const { tests } = await world.controller.measure(prepareOf(`run-${turn}`, server), turn);
        must(
          tests.length === 1 && !/"error"/.test(tests[0]?.stdout ?? ''),
          `the result has ${JSON.stringify(tests).slice(0, 500)}`,
        );
        const [{ started_ms = 0 } = {}] = tests;
        must(started_ms >= FIRST_DELAYS_MS, `the test began ${started_ms} ms after the start, at the third try`);
      });
    },
  },
  {
    rule: 'L16',
    title: 'a server that stays busy is tried five times, and reported as one test',
    async run(world) {
      await world.start();
      await oneOf(TRIES, async (turn) => {
        const server = await world.server({ busyFor: 100 });
        const { tests } = await world.controller.measure(prepareOf(`run-${turn}`, server), turn);
        must(server.visits.length === 1 + RETRY_DELAYS_MS.length, `it was tried ${server.visits.length} times`);
        must(
          tests.length === 1 && /busy/.test(`${tests[0]?.stdout}${tests[0]?.stderr}`),
          'the result does not say that it is busy',
        );
      });
    },
  },
  {
    rule: 'L16',
    title: 'a server that refuses is tried again after each of the delays, and reported as one test',
    async run(world) {
      await world.start();
      await oneOf(TRIES, async (turn) => {
        const { tests } = await world.controller.measure(prepareOf(`run-${turn}`, NOWHERE), turn);
        const [test] = tests;
        must(
          tests.length === 1 && /refused/i.test(`${test?.stdout}${test?.stderr}`),
          'the result does not say that it refuses',
        );
        const waits_ms = RETRY_DELAYS_MS.reduce((sum, delay) => sum + delay, 0);
        must((test?.ended_ms ?? 0) >= waits_ms, `the last try ended ${test?.ended_ms} ms after the start`);
      });
    },
  },
];
