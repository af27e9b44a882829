import { systemClock } from '../../../broker/clock.ts';
import { WAN_LOOK_MS } from '../../../broker/contract/numbers.ts';
import { until } from '../../helpers/until.ts';
import { type Case, must, oneOf } from '../case.ts';
import { plan, prepareOf } from '../plans.ts';
import { refusal } from './refusal.ts';

const NOWHERE = { host: '127.0.0.1', port: 1 };

/** Others first. */
export const CROSS_TRAFFIC_CASES: readonly Case[] = [
  {
    rule: 'P5',
    title: 'with max_cross_traffic it watches for 2 s before ready, and answers commands meanwhile',
    async run(world) {
      const { capabilities } = await world.start({ wan_interface: 'lo' });
      const { controller } = world;
      await oneOf(5, async (turn) => {
        const run = `run-${turn}`;
        const begin = systemClock.now();
        await controller.say(prepareOf(run, NOWHERE, [plan()], { max_cross_traffic: 1_000_000_000_000 }));
        await controller.barrier();
        const early = controller.events('ready', { run }).length === 0;
        const { at_ms } = await controller.event('ready', { run });
        if (!capabilities.includes('cross-traffic')) return;
        must(at_ms - begin >= WAN_LOOK_MS, `it is ready after ${Math.round(at_ms - begin)} ms`);
        // On a busy machine the answer may come after 2 s though nothing held it up.
        must(early, 'it answered no command until it was ready');
      });
    },
  },
  {
    rule: 'P5',
    title: 'with more traffic than max_cross_traffic it declines as cross-traffic',
    async run(world) {
      const { capabilities } = await world.start({ wan_interface: 'lo' });
      const { controller } = world;
      await controller.say(prepareOf('run-1', NOWHERE, [plan()], { max_cross_traffic: 1 }));
      const answer = await until('the agent answers', async () => {
        // Traffic on loopback.
        await controller.barrier();
        return controller.events('declined', { run: 'run-1' })[0] ?? controller.events('ready', { run: 'run-1' })[0];
      });
      if (!capabilities.includes('cross-traffic'))
        return must(answer.type === 'ready', 'it declines without being able to tell');
      must(answer.type === 'declined' && answer.token === null, 'it is ready beside more traffic than 1 bit/s');
      must(answer.reason.startsWith('cross-traffic:'), `the reason is ${answer.reason}`);
    },
  },
  {
    rule: 'P5',
    title: 'without such an interface it does not decline; a number that makes no sense is a wrong plan',
    async run(world) {
      await world.start({ wan_interface: 'no-such-if0' });
      await world.controller.prepare(prepareOf('run-1', NOWHERE, [plan()], { max_cross_traffic: 1 }));
      for (const most of [0, -1, 1.5, '2M', 1e300]) {
        const reason = await refusal(world.controller, {
          ...prepareOf('run-2', NOWHERE),
          max_cross_traffic: most,
        } as { run: string; [key: string]: unknown });
        must(!reason.startsWith('cross-traffic:'), `${most} is declined as cross-traffic`);
      }
    },
  },
];
