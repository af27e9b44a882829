import '../../agent/hosts/node/builtins.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { argv } from '../../agent/iperf3/argv.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import { orderRuns } from '../helpers/all-runs.ts';
import { FarFleet } from '../helpers/far-fleet.ts';
import { iperf3ByHand } from '../helpers/iperf3-by-hand.ts';
import { Namespaces } from '../helpers/namespaces.ts';
import { until } from '../helpers/until.ts';

/*
 *   this process             device's namespace              server's namespace
 *   controller  ──(control)──  agent, iperf3 -c  ──(50 Mbit/s)──  iperf3 -s
 */

const TCP = { protocol: 'tcp', duration_s: 5, omit_s: 0, streams: 1 } as const;
const AS_IT_COMES = { bitrate: null, length: null, window: null, congestion: null } as const;
const UPLOAD: TestPlan = { test: 'tcp-upload', direction: 'upload', ...TCP, ...AS_IT_COMES };
const DOWNLOAD: TestPlan = { test: 'tcp-download', direction: 'download', ...TCP, ...AS_IT_COMES };
const PORT = 5201;

let namespaces: Namespaces | undefined;
let far: FarFleet | undefined;
let byHand: () => Promise<{ upload: number; download: number }>;

beforeAll(async () => {
  namespaces = new Namespaces();
  const device = namespaces.add('device');
  const server = namespaces.add('server');
  const control = namespaces.link(null, device);
  const thin = namespaces.link(device, server, { rate: 50e6, latency_ms: 50 });
  far = new FarFleet({
    namespaces,
    controller: control.a,
    server: { namespace: server, host: thin.b, port: PORT },
    tests: [UPLOAD, DOWNLOAD],
  });
  far.startAgent('ap-1', device, await far.start());
  await until('the agent is online', () => far?.fleet.devices.list()[0]?.online);

  const target = { host: thin.b, port: PORT, username: null, key_path: null };
  const [ap] = far.fleet.devices.list();
  const { inside } = namespaces;
  const measure = (plan: TestPlan) =>
    iperf3ByHand(...inside(device, 'iperf3', ...argv(plan, target, null, ap?.iperf3 ?? null)));
  byHand = async () => ({ upload: await measure(UPLOAD), download: await measure(DOWNLOAD) });
});

afterAll(async () => {
  try {
    await far?.stop();
  } finally {
    namespaces?.remove();
  }
});

test('perfleet measures the same as the same iperf3 commands typed by hand, within 2%', async () => {
  if (far === undefined) throw new Error('the fleet did not start');
  const before = await byHand();
  await far.online();
  const [record] = await orderRuns(far.fleet, ['ap-1']).finished;
  const after = await byHand();

  expect(record).toMatchObject({ outcome: 'success', failures: [] });
  for (const direction of ['upload', 'download'] as const) {
    const measured = record?.measurements.find((one) => one.direction === direction)?.bits_per_second;
    const typed = (before[direction] + after[direction]) / 2;
    const seen = `${direction}: ${measured} by perfleet, ${before[direction]} and ${after[direction]} by hand`;
    console.info(seen);
    expect((measured ?? 0) / typed, seen).toBeGreaterThan(0.98);
    expect((measured ?? 0) / typed, seen).toBeLessThan(1.02);
    expect(typed, 'the link is what is measured, not the machine').toBeLessThan(50e6);
    expect(typed, 'the link is what is measured, not the machine').toBeGreaterThan(45e6);
  }
  expect(far.trouble).toEqual([]);
});
