import { connectAsync } from 'mqtt';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { ReceiverSettings, Settings } from '../../controller/config/settings.ts';
import { Store } from '../../controller/store/store.ts';
import { ControllerFixture } from '../helpers/controller-fixture.ts';
import { Mosquitto } from '../helpers/mosquitto.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { SmtpServer } from '../helpers/smtp-server.ts';
import { until } from '../helpers/until.ts';
import { Endpoint } from './alerts/endpoint.ts';
import { notices } from './alerts/notices.ts';
import { hook, IN_PART, mailVia, quietView } from './alerts/receiver-settings.ts';

beforeEach(nothingOpen);

const receivers = (entries: Record<string, ReceiverSettings>): Partial<Settings> => ({
  receivers: new Map(Object.entries(entries)),
});

/** Puts notices into the store of a controller that does not run. */
const leave = (world: ControllerFixture, count: number, names: readonly string[]) => {
  const store = Store.open(world.settings.store);
  store.atomically(() => {
    for (const one of notices(count)) store.notices.add(names, one);
  });
  store.close();
};

const viewOf = (world: ControllerFixture, name: string) =>
  world.controller.fleet.status().receivers.find(({ receiver }) => receiver === name);

it('a controller goes on with what waits when it starts, and shows how it is doing', async () => {
  const noc = await Endpoint.open();
  const world = ControllerFixture.make({ settings: receivers({ noc: hook(noc.url) }) });
  leave(world, 3, ['noc', 'gone']);
  await world.start();
  await until('all are sent', () => viewOf(world, 'noc')?.waiting === 0);
  expect(noc.ids).toEqual(['n-1', 'n-2', 'n-3']);
  expect(viewOf(world, 'noc')).toEqual(quietView({ last_success: new Date(world.clock.wall()).toISOString() }));
  expect(world.log.of('warn')).toContainEqual({
    level: 'warn',
    fields: { receiver: 'gone', dropped: 3 },
    message: 'a receiver is gone from the configuration: what waited for it is dropped',
  });
});

it('a reload puts receivers in force at once', async () => {
  const noc = await Endpoint.open();
  const world = ControllerFixture.make({ settings: receivers({ noc: hook('http://127.0.0.1:9') }) });
  leave(world, 2, ['noc']);
  await world.start();
  await until('it waits', () => viewOf(world, 'noc')?.last_error !== null);
  expect(world.controller.reload({ ...world.settings, ...receivers({ noc: hook(noc.url) }) })).toEqual([]);
  await until('all are sent', () => viewOf(world, 'noc')?.waiting === 0);
  expect(noc.ids).toEqual(['n-1', 'n-2']);
});

it('a test is answered with what the receiver said, and the names there are', async () => {
  const noc = await Endpoint.open();
  const world = await ControllerFixture.start({ settings: receivers({ noc: hook(noc.url) }) });
  const { fleet } = world.controller;
  const tested = await fleet.receivers.test('noc');
  expect(tested).toEqual({
    ok: true,
    value: { receiver: 'noc', id: noc.ids[0], delivered: true, answer: expect.stringContaining('answered 204') },
  });
  noc.answerWith(404);
  expect(await fleet.receivers.test('noc')).toMatchObject({ ok: true, value: { delivered: false } });
  expect(noc.ids[0]).not.toBe(noc.ids[1]);
  expect(await fleet.receivers.test('boss')).toMatchObject({
    ok: false,
    problem: { message: 'there is no receiver boss in the configuration; known receivers: noc' },
  });
  const bare = await ControllerFixture.start();
  expect(await bare.controller.fleet.receivers.test('boss')).toMatchObject({
    ok: false,
    problem: { message: expect.stringContaining('known receivers: none') },
  });
});

it('a test mail that some addresses refuse says which', async () => {
  const mail = await SmtpServer.start();
  const settings = mailVia(mail.port, IN_PART);
  const world = await ControllerFixture.start({ settings: receivers({ noc: settings }) });
  expect(await world.controller.fleet.receivers.test('noc')).toMatchObject({
    ok: true,
    value: {
      delivered: true,
      answer: expect.stringMatching(/answered 250 OK; .* refuses nobody@example.net: 550 5.1.1 no such user$/),
    },
  });
});

it('a topic is written through the connection of the controller, and only on an external broker', async () => {
  const mosquitto = await Mosquitto.start();
  onTestFinished(() => mosquitto.remove());
  const tls = { ca: null, cert: null, key: null };
  const broker = { kind: 'external', url: mosquitto.url, username: null, password: null, tls } as const;
  const reader = await connectAsync(mosquitto.url);
  onTestFinished(() => reader.endAsync());
  await reader.subscribeAsync('alerts/perfleet');
  const heard: unknown[] = [];
  reader.on('message', (_topic, text) => heard.push(JSON.parse(text.toString())));
  const topic = receivers({ bus: { kind: 'mqtt', topic: 'alerts/perfleet' } });
  const world = await ControllerFixture.start({ settings: { broker, ...topic } });
  expect(await world.controller.fleet.receivers.test('bus')).toMatchObject({ ok: true, value: { delivered: true } });
  await until('it is heard', () => heard.length > 0);
  expect(heard).toMatchObject([{ rule: 'perfleet-test' }]);

  const embedded = await ControllerFixture.start({ settings: topic });
  expect(await embedded.controller.fleet.receivers.test('bus')).toMatchObject({
    ok: true,
    value: { delivered: false },
  });
});

it('stops in time while a receiver does not answer', async () => {
  const noc = await Endpoint.open();
  noc.answer = () => {};
  const world = ControllerFixture.make({ settings: receivers({ noc: hook(noc.url) }) });
  leave(world, 1, ['noc']);
  await world.start();
  await until('it has begun', () => noc.heard.length === 1);
  const stopping = world.controller.stop();
  world.clock.advance(2000);
  await stopping;
});

it('what a receiver refused is sent again on request, of one receiver or of all', async () => {
  const [noc, boss] = [await Endpoint.open(), await Endpoint.open()];
  for (const one of [noc, boss]) one.answerWith(400);
  const world = ControllerFixture.make({ settings: receivers({ noc: hook(noc.url), boss: hook(boss.url) }) });
  leave(world, 2, ['noc', 'boss']);
  await world.start();
  const areAside = () => ['noc', 'boss'].every((name) => viewOf(world, name)?.set_aside === 2);
  await until('all are set aside', areAside);
  const desk = world.controller.fleet.receivers;
  noc.answerWith(204);
  expect(desk.retry('noc')).toEqual({ ok: true, value: { requeued: 2 } });
  await until('they are sent', () => viewOf(world, 'noc')?.waiting === 0);
  expect(noc.ids).toEqual(['n-1', 'n-2', 'n-1', 'n-2']);
  expect(viewOf(world, 'boss')).toMatchObject({ set_aside: 2 });
  boss.answerWith(204);
  expect(desk.retry(null)).toEqual({ ok: true, value: { requeued: 2 } });
  await until('they are sent', () => viewOf(world, 'boss')?.waiting === 0);
  expect(viewOf(world, 'boss')).toMatchObject({ set_aside: 0, last_refusal: null });
  expect(desk.retry('nobody')).toMatchObject({
    ok: false,
    problem: { message: 'there is no receiver nobody in the configuration; known receivers: noc, boss' },
  });
});
