import { expect } from 'vitest';
import { fleetTest } from '../helpers/fleet-test.ts';
import { processesWith } from '../helpers/processes.ts';
import type { Program } from '../helpers/program.ts';
import { RawDevice } from '../helpers/raw-device.ts';
import { ONE_SECOND, type RealFleet } from '../helpers/real-fleet.ts';
import { until } from '../helpers/until.ts';

/*
 * Programs that are killed, or told to stop, in the middle of a run. Two devices, one server: whatever dies, the second device's iperf3
 * starts only after the first one's is gone, and the witness would refuse it otherwise. Most of these wait for each other's deadlines, so
 * they run at the same time.
 */

const test = fleetTest();

/** Configuration of runs of one test that takes this long. */
const lasting = (seconds: number) => ({ check: { retries: 0, tests: [{ ...ONE_SECOND, duration: `${seconds}s` }] } });

/** What the agents accepted, in the order of the runs. */
const tokensOf = (agents: readonly Program[]): number[] =>
  agents.flatMap(({ stderr }) => [...stderr.matchAll(/started with token (\d+)/g)].map(([, token]) => Number(token)));

const twoDevices = async (fleet: RealFleet, seconds: number) => {
  const controller = await fleet.serve(lasting(seconds));
  const [one, two] = [await fleet.addDevice('ap-1'), await fleet.addDevice('ap-2')];
  const agents: [Program, Program] = [fleet.agent(one), fleet.agent(two)];
  await fleet.allOnline();
  const first = await fleet.order('ap-1');
  const second = await fleet.order('ap-2');
  const spawn = await fleet.seen(1);
  return { controller, one, agents, first, second, spawn };
};

/** The iperf3 that a device's agent has started, not its guard. */
const iperf3Of = (fleet: RealFleet, device: string) =>
  processesWith(`PERFLEET_STATE=${fleet.path(device)}`).filter(({ name }) => name === 'iperf3');

const GONE = { code: null, signal: 'SIGKILL' };

test.concurrent('a controller that was killed asks for the run that goes on, and begins no second one meanwhile', async ({
  fleet,
}) => {
  const { controller, agents, first, second } = await twoDevices(fleet, 12);
  expect(await controller.end('SIGKILL')).toEqual(GONE);
  await fleet.serve(lasting(12));
  await fleet.allOnline();
  // The slot is known to be held before the result can have come.
  expect(fleet.witness()).toHaveLength(1);
  expect(await fleet.api.servers()).toMatchObject([{ state: 'leased', device: 'ap-1', run: first }]);
  expect(await fleet.over(first)).toMatchObject({ outcome: 'success', attempts: 1, failures: [] });
  await fleet.seen(3);
  expect(fleet.witness().map(({ what }) => what)).toEqual(['spawn', 'exit', 'spawn']);
  expect(await fleet.cli('results', '--json')).toMatchObject({ code: 0 });
  await fleet.api.cancelRun(second);
  const [before = 0, after = 0] = tokensOf(agents);
  expect(after).toBeGreaterThan(before);
});

test.concurrent('a controller that was killed gets the result that it missed, and stores it once', async ({
  fleet,
}) => {
  const { controller, agents, first, second } = await twoDevices(fleet, 1);
  expect(await controller.end('SIGKILL')).toEqual(GONE);
  await fleet.seen(2);
  await fleet.serve(lasting(1));
  expect(await fleet.over(first)).toMatchObject({ outcome: 'success', attempts: 1 });
  expect(await fleet.over(second)).toMatchObject({ outcome: 'success' });
  const records = await fleet.api.runs({});
  expect(records.map(({ measurements }) => measurements.length)).toEqual([1, 1]);
  expect(fleet.witness().map(({ what }) => what)).toEqual(['spawn', 'exit', 'spawn', 'exit']);
  const [before = 0, after = 0] = tokensOf(agents);
  expect(after).toBeGreaterThan(before);
  await until('both results are accepted and forgotten', () => fleet.results().length === 0);
});

test.concurrent('an agent that is killed takes its iperf3 with it, and its slot is free after the deadline and a probe of the server', async ({
  fleet,
}) => {
  const { agents, first, second, spawn } = await twoDevices(fleet, 3);
  expect(await agents[0].end('SIGKILL')).toEqual(GONE);
  const exit = await fleet.seen(2);
  expect(exit.at_ms - spawn.at_ms).toBeLessThan(2500);
  expect(iperf3Of(fleet, 'ap-1')).toEqual([]);
  expect(await fleet.api.servers()).toMatchObject([{ state: 'leased', run: first, queued: 0 }]);
  await until('the server rests', async () => (await fleet.api.servers())[0]?.state === 'resting', 30);
  expect(fleet.witness()).toHaveLength(2);
  const next = await fleet.seen(3);
  // start window 5 s + lease (3 + 10 + 5) s + margin 1 s, and the first probe 5 s later
  expect(next.at_ms - spawn.at_ms).toBeGreaterThan(28_000);
  expect(await fleet.over(second)).toMatchObject({ outcome: 'success' });
  expect(await fleet.record(first)).toMatchObject({ outcome: null, measurements: [] });
});

test.concurrent('an agent that was killed ends its orphaned iperf3 first when it is back, and then says that the run is lost', async ({
  fleet,
}) => {
  const { one, agents, first, second, spawn } = await twoDevices(fleet, 8);
  // A guard that does nothing any more leaves an orphan.
  for (const { pid, name } of processesWith(`PERFLEET_STATE=${fleet.path('ap-1')}`)) {
    if (name === 'sh') process.kill(pid, 'SIGSTOP');
  }
  expect(await agents[0].end('SIGKILL')).toEqual(GONE);
  expect(iperf3Of(fleet, 'ap-1')).not.toEqual([]);
  const again = fleet.agent(one);
  const exit = await fleet.seen(2);
  expect(exit.at_ms - spawn.at_ms).toBeLessThan(6000);
  await again.says(/ended what an earlier agent had left running/);
  expect(again.stderr).not.toContain('connected to the broker');
  await until(
    'the lost run is asked for, and declined',
    async () => (await fleet.api.servers())[0]?.state === 'resting',
  );
  const next = await fleet.seen(3, 20);
  expect(next.at_ms - exit.at_ms).toBeGreaterThan(4000);
  expect(next.at_ms - spawn.at_ms).toBeLessThan(25_000);
  expect(await fleet.over(second)).toMatchObject({ outcome: 'success', attempts: 1 });
  expect(await fleet.over(first)).toMatchObject({ outcome: 'success', attempts: 2 });
  expect(fleet.witness().map(({ what }) => what)).toEqual(['spawn', 'exit', 'spawn', 'exit', 'spawn', 'exit']);
});

test.concurrent('an agent that is told to stop ends iperf3, says goodbye and is gone within 5 s', async ({ fleet }) => {
  const { one, agents, first, second } = await twoDevices(fleet, 8);
  const begin = performance.now();
  expect(await agents[0].end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(performance.now() - begin).toBeLessThan(5000);
  expect(iperf3Of(fleet, 'ap-1')).toEqual([]);
  const watcher = await RawDevice.connect(one, 'ap-1-watcher');
  fleet.alsoStop(() => watcher.stop());
  expect(await watcher.status()).toMatchObject({ online: false, host: 'node' });
  expect(await fleet.over(first)).toMatchObject({ outcome: 'failed', reason: 'local', measurements: [] });
  await fleet.seen(3);
  await fleet.api.cancelRun(second);
  expect(await fleet.over(second)).toMatchObject({ outcome: 'cancelled', reason: 'cancelled by a person' });
});

test.concurrent('a controller that is told to stop leaves the runs alone, and the next one stores them', async ({
  fleet,
}) => {
  const { controller, first, second } = await twoDevices(fleet, 2);
  const begin = performance.now();
  expect(await controller.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(performance.now() - begin).toBeLessThan(10_000);
  expect(fleet.witness()).toHaveLength(1);
  await fleet.seen(2);
  await fleet.serve(lasting(2));
  for (const run of [first, second]) expect(await fleet.over(run)).toMatchObject({ outcome: 'success' });
  expect(await fleet.api.runs({})).toHaveLength(2);
});
