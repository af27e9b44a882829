import { expect, it } from 'vitest';
import { ControllerFixture } from '../helpers/controller-fixture.ts';
import { corpusOutput } from '../helpers/iperf3-output.ts';

it('what iperf3 printed in a run is there as the device sent it, attempt by attempt', async () => {
  const world = await ControllerFixture.start();
  const agent = await world.agent('ap-1');
  const run = world.order('ap-1');
  await agent.next('prepare');
  await agent.ready(run, 'nonce-1');
  const start = await agent.next('start');
  const output = corpusOutput('v3.12__tcp_up.json');
  await agent.result(start, [output]);
  await agent.next('accepted');
  const { fleet } = world.controller;
  const { stdout } = output;
  expect(fleet.runs.raw(run)).toMatchObject({
    ok: true,
    value: { run, attempts: [{ token: 1, tests: [{ stdout }] }] },
  });
});

it('a run that nobody knows has no record, and no output', async () => {
  const { fleet } = (await ControllerFixture.start()).controller;
  const none = { ok: false, problem: { error: 'not-found', message: 'there is no run r-none' } };
  expect(fleet.runs.record('r-none')).toMatchObject(none);
  expect(fleet.runs.raw('r-none')).toMatchObject(none);
});

it('what waits for InfluxDB is told', async () => {
  const { fleet } = (await ControllerFixture.start()).controller;
  expect(fleet.influx.status()).toMatchObject({ ok: true, value: { waiting: 0, rejected: 0 } });
});
