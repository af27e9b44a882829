import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { findProgram } from '../../controller/demo/find-program.ts';
import type { RunRecord } from '../../controller/run-record.ts';
import { fleetTest } from '../helpers/fleet-test.ts';
import { freePort } from '../helpers/free-port.ts';
import { Program } from '../helpers/program.ts';
import { ONE_SECOND, type RealFleet } from '../helpers/real-fleet.ts';
import { until } from '../helpers/until.ts';

/* What a real agent makes of servers that are not there, not free, not well; and of a device without iperf3. */

const test = fleetTest();

const TWO_TESTS = [ONE_SECOND, { ...ONE_SECOND, direction: 'download' }];

/** A controller whose only server is this one. */
const serveWith = (fleet: RealFleet, host: string, port: number, check: object = {}) =>
  fleet.serve({
    servers: { odd: { host, port } },
    default_servers: ['odd'],
    check: { retries: 0, tests: TWO_TESTS, ...check },
  });

const zero = (direction: string) => ({
  test: `tcp-${direction}`,
  protocol: 'tcp',
  direction,
  bits_per_second: 0,
  bytes: 0,
  seconds: 0,
});

const ZEROS = [zero('upload'), zero('download')];

test.concurrent('a server that refuses is tried again, then the run fails with 0 for each test', async ({ fleet }) => {
  await serveWith(fleet, '127.0.0.1', await freePort(), { retries: 1 });
  await fleet.join('ap-1');
  const { code, out } = await fleet.cli('run', 'ap-1', '--json');
  expect(code).toBe(1);
  const record: RunRecord = JSON.parse(out);
  expect(record).toMatchObject({ outcome: 'failed', reason: 'unreachable', attempts: 2, warnings: [] });
  expect(record.measurements).toEqual(ZEROS);
  expect(record.failures).toEqual(
    ['tcp-upload', 'tcp-download'].map((name) => ({
      test: name,
      class: 'unreachable',
      message: expect.stringMatching(/unable to connect to server.*refused/),
      retryable: true,
    })),
  );
});

test.concurrent('a server that tests somebody else is shown as such, waited for, and never counts as a zero', async ({
  fleet,
}) => {
  await fleet.serve();
  await fleet.join('ap-1');
  const port = fleet.servers.get('s-1')?.port;
  const somebody = new Program(
    ['iperf3', '-c', '127.0.0.1', '-p', `${port}`, '-t', '8', '-b', '1M', '--forceflush'],
    process.env,
  );
  await somebody.says(/connected to/);
  const run = await fleet.order('ap-1');
  await until('people see that the server is busy elsewhere', async () => {
    const [server] = JSON.parse((await fleet.cli('server', 'list', '--json')).out);
    return server.state === 'busy-elsewhere';
  });
  expect(JSON.parse((await fleet.cli('results', '--json')).out)).toMatchObject([
    { run, outcome: null, measurements: [], failures: [{ class: 'busy' }] },
  ]);
  const record = await fleet.over(run);
  expect(await somebody.ended).toEqual({ code: 0, signal: null });
  expect(record).toMatchObject({ outcome: 'success', reason: null });
  expect(record.attempts).toBeGreaterThan(1);
  expect(record.measurements).toHaveLength(1);
  expect(record.measurements[0]?.bits_per_second).toBeGreaterThan(10e6);
});

test.concurrent('a server that accepts and says nothing is given up in time, and its iperf3 with it', async ({
  fleet,
}) => {
  const silent = net.createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  fleet.alsoStop(() => new Promise((resolve) => silent.close(resolve)));
  await serveWith(fleet, '127.0.0.1', (silent.address() as AddressInfo).port, { tests: [ONE_SECOND] });
  await fleet.join('ap-1');
  const record = await fleet.over(await fleet.order('ap-1'));
  expect(record).toMatchObject({ outcome: 'failed', reason: 'unreachable', attempts: 1 });
  expect(record.measurements).toEqual([zero('upload')]);
  expect(record.failures).toMatchObject([{ test: 'tcp-upload', class: 'unreachable', retryable: true }]);
  // told to end at 1 + 10 - 2 s or up to a second before, killed two seconds later
  expect(record.duration_s).toBeGreaterThan(8);
  expect(record.duration_s).toBeLessThan(13);
  expect(fleet.processes(/iperf3 -c/)).toEqual([]);
});

test.concurrent('a server that dies in the middle loses the link: one more try, then as one that is not there', async ({
  fleet,
}) => {
  await fleet.serve({ check: { retries: 0, tests: [{ ...ONE_SECOND, duration: '5s' }] } });
  await fleet.join('ap-1');
  const run = await fleet.order('ap-1');
  const spawn = await fleet.seen(1);
  // In the first moments of a test the agent would try again by itself.
  await until('these are over', () => Date.now() - spawn.at_ms > 2500);
  await fleet.servers.get('s-1')?.end('SIGKILL');
  const exit = await fleet.seen(2);
  expect(exit.at_ms - spawn.at_ms).toBeLessThan(4500);
  const record = await fleet.over(run);
  expect(record).toMatchObject({ outcome: 'failed', reason: 'unreachable', attempts: 2 });
  expect(record.measurements).toEqual([zero('upload')]);
  expect(record.failures).toMatchObject([{ class: 'unreachable', message: expect.stringContaining('refused') }]);
});

test.concurrent('a name that does not resolve fails without an iperf3, as a server that is not there', async ({
  fleet,
}) => {
  await serveWith(fleet, 'nowhere.invalid', 5201);
  await fleet.join('ap-1');
  const record = await fleet.over(await fleet.order('ap-1'));
  expect(record).toMatchObject({ outcome: 'failed', reason: 'unreachable' });
  expect(record.measurements).toEqual(ZEROS);
  expect(record.failures[0]?.message).toMatch(/^unresolved: no address for nowhere\.invalid/);
  expect(fleet.witness()).toEqual([]);
});

test.concurrent('a device without iperf3 fails by its own fault: no throughput is stored', async ({ fleet }) => {
  const bin = fleet.path('bin');
  mkdirSync(bin);
  for (const tool of ['sh', 'flock', 'sleep', 'rm']) symlinkSync(findProgram(tool, process.env) ?? '', join(bin, tool));
  await fleet.serve();
  const agent = fleet.agent(await fleet.addDevice('ap-1'), {}, { ...fleet.env, PATH: bin });
  await fleet.allOnline();
  await agent.says(/no working iperf3: runs will be declined until it is installed/);
  expect(JSON.parse((await fleet.cli('device', 'list', '--json')).out)).toMatchObject([{ online: true, iperf3: null }]);
  const { code, out } = await fleet.cli('run', 'ap-1', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    outcome: 'failed',
    reason: 'local',
    measurements: [],
    failures: [
      { test: 'tcp-upload', class: 'local', message: expect.stringContaining('iperf3-missing'), retryable: false },
    ],
  });
});
