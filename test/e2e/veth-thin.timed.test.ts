import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { TestPlan } from '../../broker/contract/messages.ts';
import type { RunRecord } from '../../controller/run-record.ts';
import { orderRuns } from '../helpers/all-runs.ts';
import { FarFleet } from '../helpers/far-fleet.ts';
import { Namespaces } from '../helpers/namespaces.ts';
import { Relay } from '../helpers/relay.ts';
import { until } from '../helpers/until.ts';

/*
 *   this process                             the namespace of two devices
 *   controller, iperf3 -s  ──(2 Mbit/s)──  two agents, iperf3 -c
 *
 * A test fills the link, and its queue of one second, which the control connection has to share. That of ap-1 goes
 * through a relay that can be cut.
 */

const RATE = 2e6;
const UPLOAD: TestPlan = {
  ...{ test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s: 5, omit_s: 0, streams: 1 },
  ...{ bitrate: null, length: null, window: null, congestion: null },
};

let namespaces: Namespaces | undefined;
let relay: Relay | undefined;
let far: FarFleet | undefined;
let lines = 0;

beforeAll(async () => {
  namespaces = new Namespaces();
  const devices = namespaces.add('devices');
  const { a } = namespaces.link(null, devices, { rate: RATE, latency_ms: 1000 });
  far = new FarFleet({
    namespaces,
    controller: a,
    server: { namespace: null, host: a, port: 5201 },
    tests: [UPLOAD],
  });
  const port = await far.start();
  relay = new Relay({ host: a, port });
  far.startAgent('ap-1', devices, await relay.start(a));
  far.startAgent('ap-2', devices, port);
  await far.online();
});

afterEach(() => {
  lines = witness().length;
});

afterAll(async () => {
  try {
    await far?.stop();
    await relay?.stop();
  } finally {
    namespaces?.remove();
  }
});

const started = () => {
  if (far === undefined || relay === undefined) throw new Error('the fleet did not start');
  return { fleet: far.fleet, relay };
};

/** What the witness has seen in this test. */
const witness = (): string[] => (far?.witness() ?? []).slice(lines).map(({ what }) => what);

/** The run that holds the server's slot. */
const holder = (): string | null => started().fleet.servers.list()[0]?.run ?? null;

const expectGood = (records: RunRecord[]) => {
  for (const record of records) {
    expect(record).toMatchObject({ outcome: 'success', attempts: 1, failures: [] });
    const [upload] = record.measurements;
    expect(upload?.bits_per_second).toBeGreaterThan(0.7 * RATE);
    expect(upload?.bits_per_second).toBeLessThan(RATE);
  }
  expect(witness()).toEqual(['spawn', 'exit', 'spawn', 'exit']);
  expect(far?.trouble).toEqual([]);
};

test('an upload that fills the link of its own control connection succeeds, and keeps its slot until it ends', async () => {
  const { runs, finished } = orderRuns(started().fleet, ['ap-1', 'ap-2']);
  for (const [index, run] of runs.entries()) {
    await until('iperf3 runs', () => witness().length === 2 * index + 1);
    await until('iperf3 has ended', () => {
      if (witness().length > 2 * index + 1) return true;
      expect(holder()).toBe(run);
      return false;
    });
  }
  expectGood(await finished);
});

test('going offline during a test frees nothing: the slot passes on when the device says that it has finished', async () => {
  const { fleet, relay: control } = started();
  const { runs, finished } = orderRuns(fleet, ['ap-1', 'ap-2']);
  const [first = ''] = runs;
  await until('iperf3 runs', () => witness().length === 1);
  control.cut();
  await until('the device is offline', () =>
    fleet.devices.list().some(({ device, online }) => device === 'ap-1' && !online),
  );
  await until('iperf3 has ended', () => {
    expect(holder()).toBe(first);
    return witness().length === 2;
  });
  expect(holder()).toBe(first);
  control.mend();
  await until('the slot has passed on', () => holder() !== first);
  expectGood(await finished);
});
