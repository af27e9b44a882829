import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { plainServer } from '../../../controller/config/servers-section.ts';
import { Checks } from '../../../controller/runs/checks.ts';
import { ControllerFixture } from '../../helpers/controller-fixture.ts';
import { freePort } from '../../helpers/free-port.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';

/** Takes the first byte of who comes and says that it is free, as iperf3 does; how many came. */
const freeServer = async () => {
  let clients = 0;
  const server = createServer((socket) => {
    clients += 1;
    socket.on('error', () => {});
    socket.once('data', () => socket.write(Buffer.from([9])));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, clients: () => clients };
};

const worldOf = (port: number) =>
  ControllerFixture.start({ settings: { servers: new Map([['s-1', plainServer('s-1', '127.0.0.1', port)]]) } });

it('a free server answers, is asked once by two people, and nobody starts there before it has cleaned up', async () => {
  const { port, clients } = await freeServer();
  const world = await worldOf(port);
  const { fleet } = world.controller;
  const agent = await world.agent('ap-1');
  const checks = [fleet.servers.check('s-1'), fleet.servers.check('s-1')];
  world.order('ap-1');
  const { run } = await agent.next('prepare');
  await agent.ready(run, 'nonce-1');
  const answers = await Promise.all(checks);
  expect(answers[0]).toMatchObject({
    ok: true,
    value: { server: 's-1', host: '127.0.0.1', port, verdict: 'answers', version: null, device: null, run: null },
  });
  expect(answers[1]).toEqual(answers[0]);
  expect(clients()).toBe(1);
  expect(agent.commands.some(({ type }) => type === 'start')).toBe(false);
  await until('it has cleaned up', () => {
    world.clock.advance(50);
    return fleet.servers.list()[0]?.state === 'leased';
  });
  expect(await fleet.servers.check('s-1')).toMatchObject({
    value: { verdict: 'in-use', device: 'ap-1', run, round_trip_ms: null, message: expect.stringContaining(run) },
  });
  expect(clients()).toBe(1);
});

it('a server that is not there is refused, and one that is not configured not known', async () => {
  const { controller } = await worldOf(await freePort());
  expect(await controller.fleet.servers.check('s-1')).toMatchObject({ value: { verdict: 'refused' } });
  expect(await controller.fleet.servers.check('s-9')).toMatchObject({
    ok: false,
    problem: { error: 'not-found', message: 'server s-9 is not in the configuration; known servers: s-1' },
  });
});

it('a controller that is not in charge asks nobody', async () => {
  const world = ControllerFixture.make();
  await world.start();
  expect(await world.controller.fleet.servers.check('s-1')).toMatchObject({ value: { verdict: 'not-in-charge' } });
});

it('a check that the slots do not answer, as the controller is stopping, is over after 10 s', async () => {
  const clock = new ManualClock();
  const checked = new Checks(clock).ask('s-1', () => {});
  clock.advance(10_000);
  expect(await checked).toBeNull();
  const world = await ControllerFixture.start();
  const { fleet } = world.controller;
  await world.controller.stop();
  const late = fleet.servers.check('s-1');
  world.clock.advance(10_000);
  expect(await late).toMatchObject({ ok: false, problem: { error: 'unavailable' } });
});

it('a server that rests for a reason that only time ends is not probed, nor one of which a probe is not known', async () => {
  for (const why of ['resting', 'probed'] as const) {
    const checks = new Checks(new ManualClock());
    const checked = checks.ask('s-1', ({ type }) => {
      expect(type).toBe('check');
      checks.unprobed({ type: 'unprobed', server: 's-1', why, client: null });
    });
    expect(await checked).toEqual({ why, client: null });
  }
});
