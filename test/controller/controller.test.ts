import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ControllerFixture } from '../helpers/controller-fixture.ts';
import { corpusOutput } from '../helpers/iperf3-output.ts';
import { Mosquitto } from '../helpers/mosquitto.ts';
import { fillDisk, smallDisk } from '../helpers/mount.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { ScriptedAgent } from '../helpers/scripted-agent.ts';
import { until } from '../helpers/until.ts';

beforeEach(nothingOpen);

const external = async () => {
  const mosquitto = await Mosquitto.start();
  onTestFinished(() => mosquitto.remove());
  const none = { ca: null, cert: null, key: null };
  const broker = { kind: 'external', url: mosquitto.url, username: null, password: null, tls: none } as const;
  return { mosquitto, broker };
};

it('the status tells what the built-in broker counted, and nothing of an external one', async () => {
  const world = await ControllerFixture.start();
  const before = world.controller.fleet.status().broker;
  expect(before).toMatchObject({ connections_accepted: 1, connections_refused: 0, publishes_refused: 0 });
  await world.agent('ap-1');
  expect(world.controller.fleet.status().broker).toEqual({ ...before, connections_accepted: 2 });
  const { broker } = await external();
  const outside = await ControllerFixture.start({ settings: { broker } });
  expect(outside.controller.fleet.status().broker).toBeNull();
});

describe('one controller', () => {
  it('refuses to start on a store that another one has open, and leaves nothing behind', async () => {
    const world = await ControllerFixture.start();
    const second = ControllerFixture.make({ settings: { store: world.settings.store } });
    await expect(second.start()).rejects.toThrow(/in use by another/i);
    expect(world.controller.fleet.status().in_charge).toBe(true);
  });

  it('refuses to start on a port that is taken, says so, and frees the store', async () => {
    const world = await ControllerFixture.start();
    const http = { ...world.settings.http, port: world.http_port };
    const second = ControllerFixture.make({ settings: { http } });
    await expect(second.start()).rejects.toThrow('the port is in use');
    const third = ControllerFixture.make({ settings: { store: second.settings.store } });
    await third.start();
  });

  it('obeys a controller that is alive on the same broker, which goes on', async () => {
    const { broker } = await external();
    const world = await ControllerFixture.start({ settings: { broker } });
    const second = ControllerFixture.make({ settings: { broker } });
    await second.start();
    await until('the newcomer yields', () => second.failures[0]);
    expect(second.failures[0]?.message).toMatch(/another controller \(boot [0-9a-f]+\) is in charge on this broker/);
    await second.controller.stop();
    expect(world.failures).toEqual([]);
    expect(world.controller.fleet.status().in_charge).toBe(true);
  });

  it('grants nothing while its broker is away, and takes up where it was when it is back', async () => {
    const { broker, mosquitto } = await external();
    const world = await ControllerFixture.start({ settings: { broker } });
    world.controller.fleet.devices.add({ device: 'ap-1', organization: 'default', tags: [], uplink_group: null });
    const agent = new ScriptedAgent(mosquitto.url, 'ap-1', '');
    onTestFinished(() => agent.stop());
    await agent.start();
    await until('ap-1 is online', () => world.controller.fleet.status().devices_online === 1);
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    await mosquitto.stop();
    await until('the controller notices', () => !world.controller.fleet.status().in_charge);
    const waiting = world.order('ap-1');
    expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'leased', run });
    await mosquitto.start();
    world.clock.advance(2000);
    await world.inCharge();
    await agent.online();
    await agent.result(start, [corpusOutput('v3.12__tcp_up.json')]);
    expect((await world.over(run)).outcome).toBe('success');
    expect((await agent.next('prepare')).run).toBe(waiting);
  });

  it("lets a server rest whose slot a stranger's run holds, as its client may still be there", async () => {
    const { broker, mosquitto } = await external();
    const stranger = await ControllerFixture.start({ settings: { broker } });
    stranger.controller.fleet.devices.add({ device: 'ap-1', organization: 'default', tags: [], uplink_group: null });
    const agent = new ScriptedAgent(mosquitto.url, 'ap-1', '');
    onTestFinished(() => agent.stop());
    await agent.start();
    await until('ap-1 is online', () => stranger.controller.fleet.status().devices_online === 1);
    const run = stranger.order('ap-1');
    await agent.begin('nonce-1');
    await stranger.controller.stop();

    const world = ControllerFixture.make({ settings: { broker } });
    world.clock.advance(86_400_000); // its wall clock is a day ahead of the stranger's
    await world.start();
    await world.inCharge();
    expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'resting', run: null });
    // A lease of 26 s with its deadline at 32 s, and a rest of 11 + 40 s.
    const warnings = world.log.of('warn').filter(({ message }) => message.startsWith('another controller'));
    expect(warnings).toMatchObject([
      {
        fields: { server: 's-1', run, rest_ms: 83_000 },
        message: 'another controller held this slot; the server rests',
      },
    ]);
    // A restart in between does not forget it, and in the end everybody is told that the slot is free.
    await world.restart();
    await world.inCharge();
    expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'resting', run: null });
    world.clock.advance(83_000);
    expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'idle' });
  });
});

describe('a store that can not be written', () => {
  it('accepts no result that it could not store; the agent keeps it, and it is stored when there is room again', async () => {
    const disk = smallDisk('4m');
    const world = await ControllerFixture.start({ settings: { store: `${disk}/store` } });
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    await agent.finished(start);
    await until('the end is written down', () => world.controller.fleet.runs.progress(run)?.phase === 'finished');
    const result = corpusOutput('v3.12__tcp_p16_getserver.json');
    const free = fillDisk(disk);
    await agent.result(start, [result]);
    const [error] = await until('the controller complains', () => {
      const errors = world.log.of('error');
      return errors.length > 0 ? errors : null;
    });
    expect(error?.message).toBe('a result could not be stored; its agent keeps it and sends it again');
    expect(String(error?.fields['error'])).toMatch(/full/i);
    expect(agent.commands.filter(({ type }) => type === 'accepted')).toEqual([]);
    expect(world.record(run)).toMatchObject({ outcome: null, measurements: [] });

    free();
    await agent.result(start, [result]);
    await agent.next('accepted');
    expect(world.record(run)).toMatchObject({ outcome: 'success' });
    expect(world.failures).toEqual([]);
  });

  it('grants no slot that it could not write down, and stops with a clear error', async () => {
    const disk = smallDisk('4m');
    const world = await ControllerFixture.start({ settings: { store: `${disk}/store` } });
    const agent = await world.agent('ap-1');
    world.order('ap-1');
    const { run } = await agent.next('prepare');
    fillDisk(disk);
    // The first few may still fit into the pages that SQLite has already.
    for (let nonce = 0; nonce < 2000 && world.failures.length === 0; nonce += 1)
      await agent.ready(run, `nonce-${nonce}`);
    const error = await until('the controller gives up', () => world.failures[0]);
    expect(error.message).toMatch(/full/i);
  });
});

describe('the fleet', () => {
  it('refuses a device with every problem at once, and one that exists', async () => {
    const world = await ControllerFixture.start();
    const { fleet } = world.controller;
    const added = fleet.devices.add({
      device: 'perfleet-controller',
      organization: 'nobody',
      tags: [],
      uplink_group: 'tower-7',
    });
    expect(added).toEqual({
      ok: false,
      problem: {
        error: 'bad-request',
        message: "device perfleet-controller can't be added",
        problems: [
          'device: perfleet-controller is the name of the controller itself',
          'organization: nobody is not in the configuration; known: default',
          'uplink_group: tower-7 is not in the configuration; known: none',
        ],
      },
    });
    await world.agent('ap-1');
    const twice = fleet.devices.add({ device: 'ap-1', organization: 'default', tags: [], uplink_group: null });
    expect(twice).toMatchObject({ ok: false, problem: { error: 'conflict' } });
  });

  it('cuts off a device that is removed and cancels its runs', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    await agent.next('prepare');
    expect(world.controller.fleet.devices.remove('ap-1')).toEqual({ ok: true, value: { device: 'ap-1' } });
    expect(world.record(run)).toMatchObject({ outcome: 'cancelled', reason: 'the device was removed' });
    await until('its password is refused', () =>
      agent.log.lines.some(({ fields }) => /refused|authoriz|bad user/i.test(String(fields['reason']))),
    );
    expect(world.controller.fleet.devices.remove('ap-1')).toMatchObject({ ok: false, problem: { error: 'not-found' } });
    expect(world.controller.fleet.devices.get('ap-1')).toMatchObject({ ok: false });
    expect(world.controller.fleet.devices.list()).toEqual([]);
  });

  it('shows its devices, with what their agents said and when their last run was', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const view = { device: 'ap-1', organization: 'default', tags: [], uplink_group: null, via: 'agent', online: true };
    expect(world.controller.fleet.devices.list()).toEqual([
      { ...view, agent: '0.0.0', iperf3: '3.12', last_run: null },
    ]);
    const run = world.order('ap-1');
    expect(world.controller.fleet.runs.progress(run)?.phase).toBe('on-deck');
    await agent.result(await agent.begin('nonce-1'), [corpusOutput('v3.12__tcp_up.json')]);
    await world.over(run);
    expect(world.controller.fleet.runs.progress(run)).toBeNull();
    expect(world.controller.fleet.devices.list()[0]?.last_run).toMatch(/^2026-11-22T00:00:/);
  });

  it('says why a run can not be ordered', async () => {
    const world = await ControllerFixture.start({ servers: [] });
    await world.agent('ap-1');
    const { fleet } = world.controller;
    const message = (order: { device: string; server: string | null }) => {
      const answer = fleet.runs.order(order);
      return answer.ok ? null : answer.problem.message;
    };
    expect(message({ device: 'ap-9', server: null })).toBe('there is no device ap-9; perfleet device list shows all');
    expect(message({ device: 'ap-1', server: 's-9' })).toBe(
      'server s-9 is not in the configuration; known servers: none',
    );
    expect(message({ device: 'ap-1', server: null })).toBe(
      'organization default has no server: set organizations.default.servers or default_servers',
    );
    world.controller.reload({ ...world.settings, organizations: new Map() });
    expect(message({ device: 'ap-1', server: null })).toBe(
      'organization default of device ap-1 is not in the configuration any more',
    );
  });
});
