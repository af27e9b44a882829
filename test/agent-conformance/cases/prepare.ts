import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { until } from '../../helpers/until.ts';
import { type Case, must } from '../case.ts';
import { tcpOutput } from '../fake-iperf3.ts';
import { plan, prepareOf, startOf } from '../plans.ts';
import { refusal } from './refusal.ts';

const NOWHERE = { host: '127.0.0.1', port: 1 };

/** Every program of PATH but iperf3, as links. */
const allButIperf3 = (folder: string, path: string): void => {
  for (const from of path.split(delimiter).filter((one) => existsSync(one)))
    for (const name of readdirSync(from))
      if (name !== 'iperf3' && !existsSync(join(folder, name)))
        try {
          symlinkSync(join(from, name), join(folder, name));
        } catch {
          // a link that leads nowhere is there already
        }
};

export const PREPARE_CASES: readonly Case[] = [
  {
    rule: 'P1',
    title: 'a plan outside its own limits is declined, and the reason names every problem',
    async run(world) {
      const limits = { max_duration: '5s', max_streams: 2, max_bitrate: '1M', servers: ['127.0.0.2', '127.0.0.1:1'] };
      await world.start({ limits });
      const good = { bitrate: 500_000 };
      const bad = {
        long: plan({ ...good, test: 'long', duration_s: 6 }),
        omits: plan({ ...good, test: 'omits', duration_s: 5, omit_s: 1 }),
        wide: plan({ ...good, test: 'wide', streams: 3 }),
        fast: plan({ ...good, test: 'fast', bitrate: 1_000_001 }),
        boundless: plan({ ...good, test: 'boundless', bitrate: null }),
      };
      for (const [name, test] of Object.entries(bad)) {
        const reason = await refusal(world.controller, prepareOf(`run-${name}`, NOWHERE, [test]));
        must(reason.includes(name), `the reason does not name ${name}: ${reason}`);
      }
      const elsewhere = prepareOf('run-all', { host: '127.0.0.1', port: 2 }, [
        plan({ ...good, test: 'fine' }),
        ...Object.values(bad),
      ]);
      const reason = await refusal(world.controller, elsewhere);
      for (const name of [...Object.keys(bad), '127.0.0.1'])
        must(reason.includes(name), `the reason does not name ${name}: ${reason}`);
      must(!reason.includes('fine'), `the reason names a test that is within the limits: ${reason}`);
      await world.controller.prepare(prepareOf('run-good', NOWHERE, [plan({ ...good, duration_s: 5, streams: 2 })]));
    },
  },
  {
    rule: 'P1',
    title: 'a host that begins with "-", and values that are no plain arguments, are declined; nothing is executed',
    async run(world) {
      const fake = world.fakeIperf3('true');
      await world.start();
      const mark = join(world.state, 'executed');
      const hosts = [
        '-V',
        '--help',
        '',
        ' ',
        `;touch ${mark}`,
        `$(touch ${mark})`,
        `\`touch ${mark}\``,
        'a b',
        'a\nb',
        "'",
        'x'.repeat(254),
      ];
      const tests: object[] = [
        { congestion: `;touch ${mark}` },
        { congestion: '-V' },
        { streams: '1;2' },
        { duration_s: `1;touch ${mark}` },
        { duration_s: 0 },
        { duration_s: 1.5 },
        { duration_s: 90_000 },
        { omit_s: -1 },
        { bitrate: '1M' },
        { bitrate: `$(touch ${mark})` },
        { bitrate: 0 },
        { streams: 129 },
        { length: '1K' },
        { window: -1 },
        { protocol: 'sctp' },
        { direction: 'sideways' },
        { test: '../../etc/passwd' },
      ];
      const good = prepareOf('run-good', NOWHERE);
      for (const [index, host] of hosts.entries())
        await refusal(world.controller, { ...good, run: `host-${index}`, server: { host, port: 1, auth: null } });
      for (const [index, more] of tests.entries())
        await refusal(world.controller, { ...good, run: `test-${index}`, tests: [{ ...plan(), ...more }] });
      for (const port of [0, 65_536, '1', -1])
        await refusal(world.controller, { ...good, run: 'port', server: { host: '127.0.0.1', port } });
      await refusal(world.controller, { ...good, run: 'twice', tests: [plan(), plan()] });
      await refusal(world.controller, { ...good, run: 'none', tests: [] });
      must(!existsSync(mark), 'it executed a value of a plan');
      must(fake.calls().length === 0, 'it ran iperf3');
    },
  },
  {
    rule: 'P1',
    title: 'plan values reach iperf3 as separate arguments, a password not at all',
    async run(world) {
      const fake = world.fakeIperf3(`echo '${tcpOutput(1e7)}'`);
      await world.start();
      const test = plan({
        direction: 'download',
        duration_s: 3,
        omit_s: 2,
        streams: 2,
        bitrate: 6_000_000,
        length: 1000,
        window: 50_000,
        congestion: 'cubic',
      });
      const auth = {
        username: 'user one',
        password: "s3cret; 'word'",
        public_key: '-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n',
      };
      const command = { ...prepareOf('run-1', NOWHERE, [test]), server: { ...NOWHERE, auth } };
      await world.controller.measure(command, 1);
      const [call] = fake.calls();
      must(call !== undefined, 'it ran no iperf3');
      const { argv } = call;
      const pairs = {
        '-c': '127.0.0.1',
        '-p': '1',
        '-t': '3',
        '-O': '2',
        '-P': '2',
        '-b': '3000000',
        '-l': '1000',
        '-w': '50000',
        '-C': 'cubic',
        '--username': 'user one',
      };
      for (const [option, value] of Object.entries(pairs))
        must(
          argv[argv.indexOf(option) + 1] === value,
          `iperf3 has no argument ${option} followed by ${value}: ${argv.join(' ')}`,
        );
      must(argv.includes('-J') && argv.includes('-R'), `-J or -R is missing: ${argv.join(' ')}`);
      must(!argv.join(' ').includes('s3cret'), 'the password is on the command line, where everybody sees it');
      must(call.password === auth.password, `IPERF3_PASSWORD is ${call.password}`);
      must(call.key?.trim() === auth.public_key.trim(), 'the public key is not in the file');
    },
  },
  {
    rule: 'P2',
    title: 'a name that does not resolve is declined as unresolved',
    async run(world) {
      await world.start();
      const reason = await refusal(world.controller, prepareOf('run-1', { host: 'no-such-host.invalid', port: 1 }));
      must(reason.startsWith('unresolved:'), `the reason is ${reason}`);
      await world.controller.prepare(prepareOf('run-2', { host: 'localhost', port: 1 }));
    },
  },
  {
    rule: 'P2',
    title: 'without iperf3 it is online, and declines as iperf3-missing',
    async run(world) {
      world.hideIperf3(allButIperf3);
      const { iperf3 } = await world.start();
      must(iperf3 === null, `its status says iperf3 ${iperf3}`);
      const reason = await refusal(world.controller, prepareOf('run-1', NOWHERE));
      must(reason.startsWith('iperf3-missing:'), `the reason is ${reason}`);
    },
  },
  {
    rule: 'P3',
    title: 'while one run runs, others are declined as busy, and it goes on',
    async run(world) {
      await world.start();
      const server = await world.server();
      await world.controller.begin(prepareOf('run-1', server, [plan({ duration_s: 300 })]), 1);
      const reason = await refusal(world.controller, prepareOf('run-2', server));
      must(reason.startsWith('busy:'), `the reason is ${reason}`);
      await until('iperf3 has come', () => server.visits.length === 1);
      await world.controller.never(
        'iperf3 was ended, or another came',
        () => server.present !== 1 || server.visits.length !== 1,
      );
    },
  },
  {
    rule: 'P3',
    title: 'a prepare replaces a run that is only prepared, which is declined as superseded and does not start',
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const [first, second] = [prepareOf('run-1', server), prepareOf('run-2', server)];
      const { nonce } = await controller.prepare(first);
      await controller.prepare(second);
      const { reason } = await controller.event('declined', { run: 'run-1', token: null, nonce: null });
      must(reason.startsWith('superseded:'), `the reason is ${reason}`);
      const answer = await controller.ask(startOf(first, 1, nonce));
      must(answer.type === 'declined', 'it started the run that was replaced');
      await controller.never('iperf3 runs', () => server.visits.length > 0);
      await controller.begin(second, 2);
    },
  },
  {
    rule: 'P4',
    title: 'an auto test without a figure is not run, and is absent from the result',
    async run(world) {
      await world.start();
      const tests = [plan(), plan({ test: 'udp-upload', protocol: 'udp', bitrate: 'auto' })];
      const result = await world.controller.measure(prepareOf('run-1', NOWHERE, tests), 1);
      must(
        result.tests.map(({ test }) => test).join() === 'tcp-upload',
        `the result has ${result.tests.map(({ test }) => test)}`,
      );
    },
  },
  {
    rule: 'P4',
    title: 'auto is 80% of the TCP figure of its direction',
    async run(world) {
      const fake = world.fakeIperf3(
        `case $calls in 0) echo '${tcpOutput(1e7)}' ;; 1) echo '${tcpOutput(5e7)}' ;; *) echo '{}' ;; esac`,
      );
      await world.start();
      const udp = { protocol: 'udp', bitrate: 'auto' } as const;
      const tests = [
        plan(),
        plan({ test: 'tcp-download', direction: 'download' }),
        plan({ ...udp, test: 'udp-upload' }),
        plan({ ...udp, test: 'udp-download', direction: 'download', streams: 2 }),
      ];
      await world.controller.measure(prepareOf('run-1', NOWHERE, tests), 1);
      const rates = fake.calls().map(({ argv }) => (argv.includes('-b') ? argv[argv.indexOf('-b') + 1] : null));
      must(rates.join() === ',,8000000,20000000', `-b of the four tests: ${rates}`);
    },
  },
];
