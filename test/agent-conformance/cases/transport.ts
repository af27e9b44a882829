import { isDeepStrictEqual } from 'node:util';
import { parseInbound } from '../../../broker/contract/inbound.ts';
import { Id } from '../../../broker/contract/messages.ts';
import { MAX_PAYLOAD_BYTES } from '../../../broker/contract/numbers.ts';
import {
  commandTopic,
  controllerTopic,
  eventTopic,
  resultTopic,
  statusTopic,
} from '../../../broker/contract/topics.ts';
import { until } from '../../helpers/until.ts';
import { type Case, must } from '../case.ts';
import { plan, prepareOf, startOf } from '../plans.ts';
import type { World } from '../world.ts';

/** Where a fake is said to measure; nobody listens there. */
const NOWHERE = { host: '127.0.0.1', port: 1 };

/** A whole run against a real server, and its orderly end. */
const wholeRun = async (world: World): Promise<void> => {
  await world.start();
  const server = await world.iperf3Server();
  const tests = [plan(), plan({ test: 'udp-upload', protocol: 'udp', bitrate: 100_000 })];
  const { run, token } = await world.controller.measure(prepareOf('run-1', server, tests), 7);
  await world.controller.accept(run, token);
  await world.agent.stop();
};

export const TRANSPORT_CASES: readonly Case[] = [
  {
    rule: 'T1',
    title: 'it speaks MQTT 3.1.1 or later, and no WebSocket',
    async run(world) {
      await world.start();
      for (const { packets, garbled } of world.wire.connections) {
        const [first] = packets;
        must(!garbled, 'what it says is not MQTT');
        must(first?.kind === 'connect', 'a connection does not begin with CONNECT');
        must(first.protocol === 'MQTT' && first.level >= 4, `it speaks ${first.protocol}, level ${first.level}`);
      }
    },
  },
  {
    rule: 'T2',
    title: 'it publishes with QoS 1 on its own topics, and retains its status only',
    async run(world) {
      await wholeRun(world);
      const own = [statusTopic(world.device), eventTopic(world.device), resultTopic(world.device, 'run-1')] as string[];
      const said = world.wire.packets('publish');
      must(
        isDeepStrictEqual(new Set(said.map(({ topic }) => topic)), new Set(own)),
        'it does not publish on its three topics',
      );
      for (const { topic, qos, retain } of said) {
        must(qos === 1, `QoS ${qos} on ${topic}`);
        must(retain === (topic === statusTopic(world.device)), `retain is ${retain} on ${topic}`);
      }
    },
  },
  {
    rule: 'T3',
    title: 'each message of a run is a UTF-8 JSON object of the contract, with the boot of the status',
    async run(world) {
      await wholeRun(world);
      const boots = new Set<string>();
      for (const { topic, payload } of world.wire.packets('publish')) {
        const message = parseInbound(topic, payload);
        const reason = message.kind === 'dropped' || message.kind === 'unreadable-result' ? message.reason : null;
        must(reason === null, `on ${topic}: ${reason}: ${payload.toString().slice(0, 300)}`);
        boots.add(JSON.parse(payload.toString()).boot);
      }
      must(boots.size === 1, `one start of the agent has these boots: ${[...boots]}`);
    },
  },
  {
    rule: 'T3',
    title: 'a result that is too large for a message is cut until it fits',
    async run(world) {
      world.fakeIperf3(`head -c 700000 /dev/zero | tr '\\0' x`);
      await world.start();
      const tests = ['a', 'b', 'c'].map((test) => plan({ test }));
      const result = await world.controller.measure(prepareOf('run-1', NOWHERE, tests), 1);
      must(
        isDeepStrictEqual(
          result.tests.map(({ test }) => test),
          ['a', 'b', 'c'],
        ),
        'not all tests are in the result',
      );
      const sizes = world.wire.packets('publish').map(({ payload }) => payload.length);
      must(Math.max(...sizes) <= MAX_PAYLOAD_BYTES, `a message has ${Math.max(...sizes)} bytes`);
    },
  },
  {
    rule: 'T3',
    title: 'what iperf3 prints comes untouched; what of it is no UTF-8 does not spoil the message',
    async run(world) {
      world.fakeIperf3(
        `case $calls in 0) printf '"\\\\\\303\\244\\001\\\\\\r\\n' ;; *) printf 'a\\377\\376\\300z'; printf '\\377' >&2 ;; esac`,
      );
      await world.start();
      const command = prepareOf('run-1', NOWHERE, [plan(), plan({ test: 'second' })]);
      const { tests } = await world.controller.measure(command, 1);
      const [good, bad] = tests.map(({ stdout }) => stdout);
      must(good === '"\\ä\u0001\\\r\n', `stdout came as ${JSON.stringify(good)}`);
      must(bad?.startsWith('a') && bad.endsWith('z'), `stdout came as ${JSON.stringify(bad)}`);
    },
  },
  {
    rule: 'T4',
    title: 'unknown keys are ignored, and null is like absent',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const { host, port } = server;
      const test = { test: 't', protocol: 'tcp', direction: 'upload', duration_s: 1 };
      const nulls = { omit_s: null, streams: null, bitrate: null, length: null, window: null, congestion: null };
      const plans = {
        absent: test,
        null: { ...test, ...nulls },
        unknown: { ...test, colour: 'blue', size: { of: [1] } },
      };
      for (const [run, one] of Object.entries(plans)) {
        const more = run === 'null' ? { max_cross_traffic: null } : {};
        const auth = run === 'null' ? { auth: null } : {};
        const command = {
          type: 'prepare',
          run,
          server: { host, port, ...auth },
          tests: [one],
          lease_ms: 16_000,
          ...more,
        };
        await controller.say({ ...command, future: [{ a: null }], server: { ...command.server, region: 'eu' } });
        await controller.event('ready', { run });
      }
      const { nonce } = await controller.event('ready', { run: 'unknown' });
      await controller.say({ type: 'start', run: 'unknown', token: 1, nonce, server: null, priority: 'high' });
      await controller.event('started', { run: 'unknown', token: 1, nonce });
    },
  },
  {
    rule: 'T6',
    title: 'boots and nonces match [A-Za-z0-9_-]{1,64}, and no boot begins with ssh-',
    async run(world) {
      const { boot } = await world.start();
      const { nonce } = await world.controller.prepare(prepareOf('run-1', NOWHERE));
      for (const id of [boot, nonce]) must(Id.safeParse(id).success, `${id} is not an id`);
      must(!boot.startsWith('ssh-'), `the boot is ${boot}`);
    },
  },
  {
    rule: 'T7',
    title: 'its user name is the device; it subscribes to its own topics and controller/status, by their exact names',
    async run(world) {
      await world.start();
      for (const { username } of world.wire.packets('connect'))
        must(username === world.device, `a user name is ${username}`);
      const own = [commandTopic(world.device), statusTopic(world.device), controllerTopic()] as string[];
      const subscribed = world.wire.packets('subscribe').flatMap(({ topics }) => topics);
      must(isDeepStrictEqual(new Set(subscribed), new Set(own)), `it subscribes to ${subscribed}`);
    },
  },
  {
    rule: 'T8',
    title: 'client ids are the device, or the device, a dash and a suffix; sessions are clean',
    async run(world) {
      await wholeRun(world);
      for (const { clientId, clean } of world.wire.packets('connect')) {
        must(clientId === world.device || clientId.startsWith(`${world.device}-`), `a client id is ${clientId}`);
        must(clean, `the session of ${clientId} is not clean`);
      }
    },
  },
  {
    rule: 'T9',
    title: 'every command twice: one iperf3, one result',
    async run(world) {
      await world.start();
      const { controller } = world;
      const real = await world.iperf3Server();
      const server = await world.server({ target: real.port });
      const command = prepareOf('run-1', server);
      await controller.say(command);
      const { nonce } = await controller.prepare(command);
      const start = startOf(command, 1, nonce);
      await controller.say(start);
      await controller.say(start);
      await controller.event('finished', { run: 'run-1', token: 1 });
      await controller.result('run-1');
      const visits = server.visits.length;
      for (const command of [
        start,
        { type: 'accepted', run: 'run-1', token: 1 },
        { type: 'cancel', run: 'run-1', reason: '' },
      ]) {
        await controller.say(command);
        await controller.say(command);
      }
      await controller.barrier();
      must(
        controller.events('declined', { run: 'run-1' }).length === 0,
        'it declined something of a run that was good',
      );
      const tests = new Set(controller.results('run-1').map(({ tests }) => JSON.stringify(tests)));
      must(tests.size === 1, 'there are two results');
      await controller.never('iperf3 ran again', () => server.visits.length !== visits);
    },
  },
  {
    rule: 'T9',
    title: 'a start before its prepare is declined, and the run can be started afterwards',
    async run(world) {
      await world.start();
      const server = await world.server();
      const command = prepareOf('run-1', server);
      const answer = await world.controller.ask(startOf(command, 1, 'not-yet-given'));
      must(answer.type === 'declined', 'it started what it had not prepared');
      await world.controller.begin(command, 2);
      await until('iperf3 comes', () => server.visits.length === 1);
    },
  },
];
