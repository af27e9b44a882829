import { expect, it } from 'vitest';
import { plainServer } from '../../../controller/config/servers-section.ts';
import { ControllerFixture } from '../../helpers/controller-fixture.ts';
import { until } from '../../helpers/until.ts';

/** The settings of the world with these servers only, by name and port. */
const withServers = ({ settings }: ControllerFixture, ports: Record<string, number>) => {
  const names = Object.keys(ports);
  const organization = settings.organizations.get('default');
  if (organization === undefined) throw new Error('the world has an organization');
  return {
    ...settings,
    servers: new Map(Object.entries(ports).map(([name, port]) => [name, plainServer(name, '127.0.0.1', port)])),
    organizations: new Map([['default', { ...organization, servers: names }]]),
  };
};

it('a server that is renamed while it is in use starts nobody else until it is free, and the start it was given stays the same', async () => {
  const world = await ControllerFixture.start();
  const [first, second] = [await world.agent('ap-1'), await world.agent('ap-2')];
  world.order('ap-1');
  const { run } = await first.next('prepare');
  await first.ready(run, 'nonce-1');
  const start = await first.next('start');
  expect(start.server).toEqual({ host: '127.0.0.1', port: 5201 });

  world.controller.reload(withServers(world, { 's-new': 5201 }));
  const waiting = world.order('ap-2');
  await second.next('prepare');
  await second.ready(waiting, 'nonce-2');
  world.clock.advance(1000);
  expect(await first.next('start')).toEqual(start);
  expect(second.commands.some(({ type }) => type === 'start')).toBe(false);

  await first.finished(start);
  expect(await second.next('start')).toMatchObject({ run: waiting, server: { port: 5201 } });
});

it('a renamed server is known again after a restart by the lease on disk', async () => {
  const world = await ControllerFixture.start();
  const [first] = [await world.agent('ap-1'), await world.agent('ap-2')];
  world.order('ap-1');
  const start = await first.begin('nonce-1');
  world.settings.servers.clear();
  for (const [name, server] of withServers(world, { 's-new': 5201 }).servers) world.settings.servers.set(name, server);
  world.settings.organizations.get('default')?.servers.splice(0, 1, 's-new');
  await world.restart();
  const [back, other] = [await world.comeBack('ap-1'), await world.comeBack('ap-2')];
  await world.inCharge();
  const waiting = world.order('ap-2');
  await other.next('prepare');
  await other.ready(waiting, 'nonce-2');
  const again = await back.next('start');
  expect(again).toEqual(start);
  expect(other.commands.some(({ type }) => type === 'start')).toBe(false);
  await back.finished(again);
  expect(await other.next('start')).toMatchObject({ run: waiting });
});

it('runs that wait are measured as the new settings say, and end where their organization is gone', async () => {
  const world = await ControllerFixture.start();
  const [first, second] = [await world.agent('ap-1'), await world.agent('ap-2')];
  await world.agent('ap-3');
  world.order('ap-1');
  await first.begin('nonce-1');
  const deck = world.order('ap-2');
  await second.next('prepare');
  const waiting = world.order('ap-3');
  world.controller.reload(withServers(world, { 's-1': 5201, 's-2': 5202 }));
  await until('the new server is used', () => world.controller.fleet.runs.progress(waiting)?.phase === 'on-deck');
  expect(world.controller.fleet.runs.progress(waiting)).toMatchObject({ server: 's-2' });
  expect(world.controller.fleet.runs.progress(deck)).toMatchObject({ phase: 'on-deck', server: 's-1' });
  await world.agent('ap-4');
  const last = world.order('ap-4');
  world.controller.reload({ ...withServers(world, { 's-1': 5201, 's-2': 5202 }), organizations: new Map() });
  expect(await world.over(last)).toMatchObject({ outcome: 'skipped', reason: 'no-server' });
  expect(world.record(deck).outcome).toBeNull();
});
