import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KILL_AFTER_TERM_MS, TEST_GRACE_S } from '../../../broker/contract/numbers.ts';
import { isRunning } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';
import { type Case, must } from '../case.ts';
import { plan, prepareOf } from '../plans.ts';
import type { WatchedServer } from '../servers.ts';

const NOWHERE = { host: '127.0.0.1', port: 1 };

/** The guard counts in whole seconds. */
const EARLY_MS = 1000;

/** What a busy machine may be late. */
const LATE_S = 20;

/** Waits until the only client of a server has left; when that was. */
const leftAt = async (server: WatchedServer, within_s: number): Promise<number> => {
  const visit = await until('iperf3 comes', () => server.visits[0]);
  return until('iperf3 is ended', () => visit.left_ms, within_s);
};

/** The text of each file of a folder, also of folders in it. */
const textsIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return textsIn(path);
    return entry.isFile() ? [readFileSync(path, 'latin1')] : [];
  });

export const END_CASES: readonly Case[] = [
  {
    rule: 'L5',
    title: 'a test that does not end is ended 10 s after its time, not before, and the next one begins',
    long: true,
    async run(world) {
      await world.start();
      const { controller } = world;
      const server = await world.server();
      const tests = [plan(), plan({ test: 'second', duration_s: 60 })];
      const { nonce } = await controller.begin(prepareOf('run-1', server, tests), 1);
      const limit_ms = 1000 * (1 + TEST_GRACE_S);
      const left_ms = await leftAt(server, limit_ms / 1000 + LATE_S);
      // From before its start was sent: seen from here, iperf3 may come late.
      const [ready] = controller.events('ready', { nonce });
      const took_ms = left_ms - (ready?.at_ms ?? 0);
      must(took_ms > limit_ms - KILL_AFTER_TERM_MS - EARLY_MS, `it is ended after ${Math.round(took_ms)} ms`);
      await until('the next test begins', () => server.visits.length === 2);
    },
  },
  {
    rule: 'L5',
    title: 'a test that ignores TERM is killed 10 s after its time',
    long: true,
    async run(world) {
      const fake = world.stubbornIperf3();
      await world.start();
      await world.controller.begin(prepareOf('run-1', NOWHERE), 1);
      const call = await until('iperf3 runs', () => fake.calls()[0]);
      await until('iperf3 is killed', () => !isRunning(call.pid), 1 + TEST_GRACE_S + LATE_S);
      await world.controller.event('finished', { run: 'run-1', token: 1 });
      const { tests } = await world.controller.result('run-1');
      must(tests.length === 1, `the result has ${tests.length} tests`);
    },
  },
  {
    rule: 'L5',
    title: 'at the end of the lease everything is ended, whatever the test may take',
    async run(world) {
      await world.start();
      const server = await world.server();
      const tests = [plan({ test: 'first', duration_s: 60 }), plan({ test: 'second', duration_s: 60 })];
      await world.controller.begin(prepareOf('run-1', server, tests, { lease_ms: 7000 }), 1);
      await leftAt(server, 7 + LATE_S);
      await world.controller.event('finished', { run: 'run-1', token: 1 });
      must(server.present === 0 && server.visits.length === 1, 'a test was begun at the end of the lease');
    },
  },
  {
    rule: 'L7',
    title: 'the pid of iperf3 is written down while it runs',
    async run(world) {
      await world.start();
      const server = await world.server();
      await world.controller.begin(prepareOf('run-1', server, [plan({ duration_s: 300 })]), 1);
      await until('iperf3 comes', () => server.present === 1);
      const [iperf3] = world.agent.iperf3();
      must(iperf3 !== undefined, 'no process named iperf3 is found');
      must(
        textsIn(world.state).some((text) => text.trim() === `${iperf3.pid}`),
        'no file in the state folder has its pid',
      );
    },
  },
  {
    rule: 'L7',
    title: 'iperf3 ends when the agent is killed',
    async run(world) {
      await world.start();
      const server = await world.server();
      await world.controller.begin(prepareOf('run-1', server, [plan({ duration_s: 300 })]), 1);
      await until('iperf3 comes', () => server.present === 1);
      await world.agent.kill();
      await leftAt(server, 60);
      await world.agent.gone();
    },
  },
  {
    rule: 'L7',
    title: 'iperf3 ends when the agent and what watches over it are killed at once, also one that ignores TERM',
    async run(world) {
      const fake = world.stubbornIperf3();
      await world.start();
      await world.controller.begin(prepareOf('run-1', NOWHERE, [plan({ duration_s: 300 })]), 1);
      const call = await until('iperf3 runs', () => fake.calls()[0]);
      await world.agent.killButGuards();
      await until('iperf3 is killed', () => !isRunning(call.pid));
    },
  },
  {
    rule: 'L7',
    title: 'while the agent is stopped (SIGSTOP) iperf3 still ends at its limit',
    long: true,
    async run(world) {
      await world.start();
      const server = await world.server();
      await world.controller.begin(prepareOf('run-1', server), 1);
      await until('iperf3 comes', () => server.present === 1);
      const stopped = world.agent
        .processes()
        .filter(({ name }) => !['sh', 'dash', 'ash', 'busybox', 'bash', 'sleep', 'iperf3'].includes(name));
      for (const { pid } of stopped) process.kill(pid, 'SIGSTOP');
      await leftAt(server, 1 + TEST_GRACE_S + LATE_S);
      for (const { pid } of stopped) process.kill(pid, 'SIGCONT');
      await world.controller.event('finished', { run: 'run-1', token: 1 });
    },
  },
  {
    rule: 'L7',
    title: 'a run that leaves the deck leaves no process behind',
    async run(world) {
      await world.start();
      const { controller } = world;
      await controller.barrier();
      const names = async () => {
        const found = await world.agent.processesIn(100);
        return found
          .map(({ name }) => name)
          .sort()
          .join(' ');
      };
      const before = await names();
      const server = await world.server();
      for (const run of ['run-1', 'run-2', 'run-3']) await controller.prepare(prepareOf(run, server));
      await controller.cancel('run-3');
      await until(`its processes are ${before} again`, async () => (await names()) === before);
      must(server.visits.length === 0, 'iperf3 ran');
    },
  },
  {
    rule: 'L8',
    title: 'a second agent with the same state folder ends, and the first goes on',
    async run(world) {
      const { boot } = await world.start();
      const first = world.agent;
      const second = world.launch();
      const { code } = await until('the second agent ends', () => (second.running ? null : second.ended), 120);
      must(code !== 0, 'the second agent ends as if all was well');
      await world.controller.barrier();
      must(first.running, 'the first agent has ended');
      must(
        world.controller.statuses().every((status) => status.boot === boot),
        'the second agent went online',
      );
    },
  },
  {
    rule: 'L8',
    title: 'what an earlier instance left running is ended before the agent connects',
    async run(world) {
      const fake = world.stubbornIperf3();
      await world.start();
      await world.controller.begin(prepareOf('run-1', NOWHERE, [plan({ duration_s: 300 })]), 1);
      const { pid } = await until('iperf3 runs', () => fake.calls()[0]);
      const left = world.agent;
      await left.killAll([pid]);
      must(isRunning(pid), 'there is nothing left to be ended');
      const connections = world.wire.connections.length;
      world.launch();
      await until('the next agent connects', () => world.wire.connections.length > connections, 120);
      must(!isRunning(pid), 'it connects while the iperf3 of an earlier instance runs');
    },
  },
];
