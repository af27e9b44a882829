import { mkdirSync, readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { RunRecord } from '../../controller/run-record.ts';
import { fleetTest } from '../helpers/fleet-test.ts';
import type { RealFleet } from '../helpers/real-fleet.ts';
import { until } from '../helpers/until.ts';

/* `perfleet demo` as it is shipped. It brings its own servers, agents and witness; the fleet only keeps an eye on it. */

const test = fleetTest([]);

/** Starts the demo with a folder for temporary files of its own. */
const startDemo = (fleet: RealFleet, ...argv: string[]) => {
  const temporary = fleet.path('tmp');
  mkdirSync(temporary);
  const { WITNESS_FOLDER, WITNESS_IPERF3, PATH, ...env } = fleet.env;
  const plain = { ...env, PATH: process.env['PATH'], TMPDIR: temporary };
  const demo = fleet.start('perfleet.js', ['demo', ...argv], plain);
  return { demo, temporaryFiles: () => readdirSync(temporary) };
};

/** All that runs but the demo itself. */
const others = (fleet: RealFleet, pid: number) => fleet.processes(/./).filter((found) => found.pid !== pid);

test.concurrent('the demo measures four devices on two servers, prints its object, and leaves nothing behind', async ({
  fleet,
}) => {
  const { demo, temporaryFiles } = startDemo(fleet, '--json');
  expect(await demo.ended).toEqual({ code: 0, signal: null });
  expect(demo.stderr).toBe('');
  const report = JSON.parse(demo.stdout);
  expect(Object.keys(report)).toEqual(['runs', 'slot_use', 'makespan_s']);
  const runs = RunRecord.array().parse(report.runs);
  expect(runs.map(({ device }) => device)).toEqual(['device-1', 'device-2', 'device-3', 'device-4']);
  expect(runs.map(({ server }) => server).sort()).toEqual(['server-1', 'server-1', 'server-2', 'server-2']);
  for (const { outcome, measurements } of runs) {
    expect(outcome).toBe('success');
    expect(measurements.map((one) => one.test)).toEqual(['tcp-upload', 'tcp-download', 'udp-upload']);
  }
  expect(report.slot_use).toBeGreaterThan(0.5);
  expect(report.slot_use).toBeLessThanOrEqual(1);
  expect(report.makespan_s).toBeGreaterThan(18);
  expect(temporaryFiles()).toEqual([]);
  await until('all its processes are gone', () => fleet.processes(/./).length === 0, 3);
});

test.concurrent('Ctrl-C in the middle of the demo ends it with 130, and nothing is left behind', async ({ fleet }) => {
  const { demo, temporaryFiles } = startDemo(fleet);
  await demo.says(/device-1 has the slot of server-\d/, 30);
  await until('iperf3 runs', () => fleet.processes(/iperf3 -c/).length > 0);
  expect(await demo.end('SIGINT')).toEqual({ code: 130, signal: null });
  expect(demo.stderr).toBe('perfleet demo: interrupted\n');
  expect(temporaryFiles()).toEqual([]);
  await until('all its processes are gone', () => fleet.processes(/./).length === 0, 3);
});

test.concurrent('a demo that is killed takes its servers and agents with it', async ({ fleet }) => {
  const { demo } = startDemo(fleet);
  await until('iperf3 runs', () => fleet.processes(/iperf3 -c/).length > 0, 30);
  expect(others(fleet, demo.pid).length).toBeGreaterThan(6);
  expect(await demo.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  await until('all its processes are gone', () => fleet.processes(/./).length === 0, 8).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(fleet.processes(/./))}`);
  });
});
