import { isDeepStrictEqual } from 'node:util';
import { AgentStatus } from '../../../broker/contract/messages.ts';
import { statusTopic } from '../../../broker/contract/topics.ts';
import { until } from '../../helpers/until.ts';
import { type Case, must } from '../case.ts';
import { tcpOutput } from '../fake-iperf3.ts';
import { plan, prepareOf } from '../plans.ts';

export const STATUS_CASES: readonly Case[] = [
  {
    rule: 'S1',
    title: 'the last will is the status with online: false, retained',
    async run(world) {
      const said = await world.start();
      const wills = world.wire.packets('connect').flatMap(({ will }) => (will === null ? [] : [will]));
      const own = wills.filter(({ topic }) => topic === statusTopic(world.device));
      must(
        own.length > 0 && own.length === wills.length,
        'no connection has a last will on the status topic, or another has',
      );
      for (const { payload, retain, qos } of own) {
        must(retain && qos === 1, 'the last will is not retained with QoS 1');
        const will = AgentStatus.parse(JSON.parse(payload.toString()));
        const { online, boot, agent, host, iperf3, capabilities, pending } = said;
        must(online, 'the status is not online');
        must(
          isDeepStrictEqual(will, { online: false, boot, agent, host, iperf3, capabilities, pending }),
          `the last will ${payload} is not the status, offline`,
        );
      }
      const from = world.controller.position;
      await world.agent.killAll();
      await world.controller.status({ online: false, boot: said.boot }, { from });
    },
  },
  {
    rule: 'S1',
    title: 'online: true after each connect: the connection is cut, the broker restarts',
    async run(world) {
      const { boot } = await world.start();
      let from = world.controller.position;
      world.wire.cut();
      await world.controller.status({ online: true, boot }, { from });
      // What it has said is acknowledged, and nobody reminds it: its last will is published while it is away, and the broker forgets what
      // was retained.
      await world.controller.barrier();
      world.wire.break();
      await world.broker.stop();
      from = world.controller.position;
      await world.broker.start();
      world.wire.mend();
      await world.controller.status({ online: true, boot }, { from });
      // The last will of the connection before may come after it: S2.
      await until('its status says online for good', () => world.controller.statuses(from).at(-1)?.online);
    },
  },
  {
    rule: 'S1',
    title: 'a broker that comes after the agent is found',
    async run(world) {
      await world.broker.stop();
      world.launch();
      await until('the agent has tried to connect', () => world.wire.connections.length > 0, 120);
      await world.broker.start();
      await world.controller.status({ online: true }, { within_s: 120 });
    },
  },
  {
    rule: 'S2',
    title: 'its own status with online: false, the late last will of a connection before, is put right',
    async run(world) {
      const said = await world.start();
      for (const boot of [said.boot, 'an-earlier-boot']) {
        const from = world.controller.position;
        await world.controller.sayStatus(JSON.stringify({ ...said, boot, online: false }));
        await world.controller.status({ online: true, boot: said.boot }, { from });
      }
    },
  },
  {
    rule: 'S3',
    title: 'TERM: online: false is published, then it disconnects, and nothing is left running',
    async run(world) {
      const { boot } = await world.start();
      const from = world.controller.position;
      await world.agent.stop();
      const { code } = await world.agent.ended;
      must(code === 0, code === null ? 'it had to be killed' : `the exit code is ${code}`);
      await world.controller.status({ online: false, boot }, { from });
      const goodbyes = world.wire
        .packets('publish')
        .filter(
          ({ topic, payload }) => topic === statusTopic(world.device) && /"online":\s*false/.test(payload.toString()),
        );
      must(goodbyes.length > 0, 'it did not publish online: false: the broker published its last will');
      must(world.controller.statuses(from).at(-1)?.online === false, 'the last that was heard is not online: false');
      await world.agent.gone();
    },
  },
  {
    rule: 'S3',
    title: 'TERM while iperf3 runs: iperf3 is ended before the agent leaves',
    async run(world) {
      await world.start();
      const server = await world.server();
      await world.controller.begin(prepareOf('run-1', server, [plan({ duration_s: 300 })]), 1);
      await until('iperf3 has come', () => server.present === 1);
      await world.agent.stop();
      must((await world.agent.ended).code !== null, 'it had to be killed');
      must(world.agent.iperf3().length === 0, 'the agent has left, and its iperf3 runs');
      await world.agent.gone();
    },
  },
  {
    rule: 'S4',
    title: 'a result that waits to be accepted is counted in the status, and no longer when it is accepted',
    async run(world) {
      const fake = world.fakeIperf3(`echo '${tcpOutput(1e7)}'`);
      await world.start();
      const { run, token } = await world.controller.measure(prepareOf('run-1', { host: '127.0.0.1', port: 1 }), 1);
      must(fake.calls().length === 1, 'iperf3 did not run once');
      await world.controller.status({ pending: 1 });
      const from = world.controller.position;
      await world.controller.accept(run, token);
      await world.controller.status({ pending: 0 }, { from });
    },
  },
];
