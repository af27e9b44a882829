import { MAX_PAYLOAD_BYTES } from '../../../broker/contract/numbers.ts';
import { commandTopic } from '../../../broker/contract/topics.ts';
import { type Case, must } from '../case.ts';
import { plan, prepareOf } from '../plans.ts';
import type { World } from '../world.ts';

const NOWHERE = { host: '127.0.0.1', port: 1 };
const GOOD = prepareOf('run-good', NOWHERE);

/** Names that every object of JavaScript knows. */
const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length'];

/** Of every type that JSON has. */
const VALUES: unknown[] = [null, true, 0, -1, 1.5, 1e300, '', 'text', [], [[]], {}, { length: 5 }, 2 ** 63, '\u0000'];

/** Names of other topics and files, if an agent believes them. */
const NO_IDS = ['..', '../../run-1', 'run/1', '/run-1', '+', '#', 'run 1', 'run-1\n', 'rün', 'r'.repeat(65)];

const withEach = (command: object, key: string): string[] =>
  VALUES.map((value) => JSON.stringify({ ...command, [key]: value }));

const START = { type: 'start', run: 'run-bad', token: 1, nonce: 'n', server: NOWHERE, lease_ms: 16_000 };

/** What is not of the contract, by what is wrong with it. */
const JUNK: Record<string, (string | Buffer)[]> = {
  'not JSON': [
    '',
    ' ',
    'hello',
    '{',
    '}',
    '{"type":',
    '{"type":"prepare"',
    "{'type':'start'}",
    '\n\n\n',
    '{"type":"start"}}',
    '-',
    '%s%n',
  ],
  'no object': ['null', 'true', '7', '1e999', '"prepare"', '[]', '[{"type":"cancel"}]', 'NaN'],
  'NUL bytes': [
    Buffer.alloc(1),
    Buffer.alloc(4096),
    '{"type":"cancel\u0000","run":"run-1"}',
    `${JSON.stringify(START)}\u0000`,
  ],
  'no UTF-8': [
    Buffer.from([0xff, 0xfe, 0xc0]),
    Buffer.concat([
      Buffer.from('{"type":"cancel","run":"run-'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('","reason":""}'),
    ]),
  ],
  'nested deeply': ['['.repeat(20_000), '{"a":'.repeat(20_000), `${'['.repeat(5000)}${']'.repeat(5000)}`],
  'with line breaks': ['{"type":\n"what",\r\n"run":"run-1"}', '\r\n', `${'x'.repeat(70_000)}\n${'y'.repeat(70_000)}`],
  'of an unknown type': [...INHERITED, 'ready', 'PREPARE', ''].map((type) =>
    JSON.stringify({ type, run: 'run-1', token: 1 }),
  ),
  'of wrong types': ['type', 'run', 'token', 'nonce', 'server', 'lease_ms']
    .flatMap((key) => withEach(START, key))
    // What may be absent or null is a good start of a run that is not prepared, and gets its answer.
    .concat(['run', 'reason'].flatMap((key) => withEach({ type: 'cancel', run: 'run-bad' }, key)))
    .concat(['run', 'token'].flatMap((key) => withEach({ type: 'accepted', run: 'run-bad', token: 1 }, key))),
  'a prepare of wrong types': ['server', 'tests', 'lease_ms', 'max_cross_traffic']
    .flatMap((key) => withEach({ ...GOOD, run: 'run-bad' }, key))
    .concat(
      ['host', 'port', 'auth'].flatMap((key) =>
        withEach(NOWHERE, key).map(
          (server) => `{"type":"prepare","run":"run-bad","lease_ms":16000,"tests":[],"server":${server}}`,
        ),
      ),
    )
    .concat(
      Object.keys(plan()).flatMap((key) =>
        withEach(plan(), key).map(
          (test) =>
            `{"type":"prepare","run":"run-bad","lease_ms":16000,"server":{"host":"-h","port":0},"tests":[${test}]}`,
        ),
      ),
    ),
  'with inherited names': INHERITED.flatMap((name) => [
    `{"type":"cancel","run":"${name}","reason":""}`,
    `{"type":"accepted","run":"${name}","token":1}`,
    `{"${name}":{"type":"start"},"type":"start","run":"${name}","token":1,"nonce":"${name}"}`,
    `{"type":"prepare","run":"${name}","server":{"${name}":1},"tests":[{"test":"${name}","${name}":1}],"lease_ms":1}`,
  ]),
  'whose run is no id': NO_IDS.flatMap((run) => [
    JSON.stringify({ ...GOOD, run }),
    JSON.stringify({ ...START, run }),
    JSON.stringify({ type: 'cancel', run, reason: '' }),
    JSON.stringify({ type: 'accepted', run, token: 1 }),
  ]),
  'too large': [
    'x'.repeat(MAX_PAYLOAD_BYTES + 1),
    JSON.stringify({ ...GOOD, run: 'run-large', padding: 'x'.repeat(MAX_PAYLOAD_BYTES) }),
    `{"type":"cancel","run":"run-1","reason":"${'x'.repeat(MAX_PAYLOAD_BYTES - 100)}"}`,
  ],
};

const boots = ({ controller }: World): number => new Set(controller.statuses().map(({ boot }) => boot)).size;

/** Still the same start of the agent, and it takes a good command. */
const stillWorks = async (world: World): Promise<void> => {
  await world.controller.barrier();
  await world.controller.prepare(GOOD);
  await world.controller.cancel(GOOD.run);
  must(
    world.agent.running && boots(world) === 1,
    `the agent was restarted or has ended:\n${world.agent.log.slice(-2000)}`,
  );
};

const hostileCase = ([what, payloads]: [string, (string | Buffer)[]]): Case => ({
  rule: 'T5',
  title: `commands ${what} are dropped, and the next good one is heard`,
  async run(world) {
    await world.start();
    for (const payload of payloads) await world.controller.sayRaw(payload);
    await stillWorks(world);
    const { controller } = world;
    const ran = controller.events('started', {}).length + controller.events('ready', { run: 'run-large' }).length;
    const said = controller.heard.filter(({ topic }) => topic !== commandTopic(world.device));
    const strange = said.find(({ message }) => message.kind === 'dropped');
    must(strange === undefined, `it says on ${strange?.topic}: ${strange?.bytes.toString().slice(0, 300)}`);
    must(ran === 0, 'it took one of them for a good command');
  },
});

export const HOSTILE_CASES: readonly Case[] = [
  ...Object.entries(JUNK).map(hostileCase),
  {
    rule: 'T5',
    title: 'junk as its own status and as the status of a controller is dropped',
    async run(world) {
      await world.start();
      const all = Object.values(JUNK).flat();
      for (const junk of all.filter((one) => one.length < 10_000)) {
        await world.controller.sayAsController(junk.toString());
        await world.controller.sayStatus(junk.toString());
      }
      await stillWorks(world);
    },
  },
  {
    rule: 'T5',
    title: 'a burst of 1,000 does not make it lose the next good command',
    async run(world) {
      await world.start();
      const junk = Array.from({ length: 1000 }, (_, index) => `junk ${index} ${'x'.repeat(index % 200)}`);
      await Promise.all(junk.map((payload) => world.controller.sayRaw(payload)));
      await stillWorks(world);
    },
  },
  {
    rule: 'T5',
    title: 'its memory is bounded: 10,000 pieces of junk',
    long: true,
    async run(world) {
      await world.start();
      const flood = async (): Promise<number> => {
        for (let round = 0; round < 25; round += 1) {
          const junk = Array.from({ length: 200 }, (_, index) => {
            const number = 200 * round + index;
            return number % 2
              ? `junk ${number}`
              : JSON.stringify({ ...START, run: `run-${number}`, token: number + 1 });
          });
          await Promise.all(junk.map((payload) => world.controller.sayRaw(payload)));
          await world.controller.barrier();
        }
        return world.agent.memory();
      };
      const before = world.agent.memory();
      const [first, second] = [await flood(), await flood()];
      const growth = `${before} KiB, ${first} KiB after 5,000 commands, ${second} KiB after 10,000`;
      must(first - before < 65_536, `it grows too much: ${growth}`);
      must(second - first < 16_384, `it grows on and on: ${growth}`);
      await stillWorks(world);
    },
  },
];
