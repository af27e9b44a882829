import { connectAsync } from 'mqtt';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DEFAULT_RETENTION } from '../../../controller/config/retention-section.ts';
import { Housekeeping } from '../../../controller/runs/housekeeping.ts';
import type { Progress } from '../../../controller/runs/progress.ts';
import { Settlement } from '../../../controller/runs/settlement.ts';
import { Store } from '../../../controller/store/store.ts';
import { ControllerFixture, testPlan, worldSettings } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { Mosquitto } from '../../helpers/mosquitto.ts';
import { fillDisk, smallDisk } from '../../helpers/mount.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { ScriptedAgent } from '../../helpers/scripted-agent.ts';
import { until } from '../../helpers/until.ts';
import { openStore } from '../store/open-store.ts';

const HOUR_MS = 3_600_000;

const externalWorld = async () => {
  const mosquitto = await Mosquitto.start();
  onTestFinished(() => mosquitto.remove());
  const tls = { ca: null, cert: null, key: null };
  const broker = { kind: 'external', url: mosquitto.url, username: null, password: null, tls } as const;
  return { mosquitto, world: await ControllerFixture.start({ settings: { broker } }) };
};

describe('what is not of the contract', () => {
  it('is counted, logged with its topic, and changes nothing', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    await agent.next('prepare');
    await agent.send({ type: 'ready', run, boot: agent.boot, nonce: '$(reboot)' });
    await until('it is counted', () => world.controller.fleet.status().messages_dropped === 1);
    expect(world.log.of('warn').map(({ fields }) => fields['topic'])).toContain('perfleet/1/device/ap-1/event');
    await agent.ready(run, 'nonce-1');
    await agent.next('start');
  });

  it('an emptied retained message says nothing, and a device that is not registered is not heard', async () => {
    const { mosquitto, world } = await externalWorld();
    const client = await connectAsync(mosquitto.url);
    onTestFinished(() => client.endAsync());
    await client.publishAsync('perfleet/1/device/ap-9/status', '', { qos: 1, retain: true });
    const stranger = new ScriptedAgent(mosquitto.url, 'ap-9', '');
    onTestFinished(() => stranger.stop());
    await stranger.start();
    await stranger.ready('r-unknown', 'nonce-1');
    expect((await stranger.next('cancel')).run).toBe('r-unknown');
    expect(world.controller.fleet.status()).toMatchObject({ messages_dropped: 0, devices_online: 0 });
  });
});

describe('a run that is cancelled', () => {
  it('while its result is awaited ends too, and its agent forgets it', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    await agent.finished(await agent.begin('nonce-1'));
    await until('the slot is free', () => world.controller.fleet.servers.list()[0]?.state === 'idle');
    const seen: Progress[] = [];
    const unwatch = world.controller.fleet.runs.watch((progress) => seen.push(progress));
    world.controller.fleet.runs.cancel(run);
    unwatch();
    world.order('ap-1');
    expect(await agent.next('cancel')).toMatchObject({ run });
    expect(world.record(run).outcome).toBe('cancelled');
    expect(seen.map(({ phase }) => phase)).toEqual(['final']);
  });

  it('and leaves a lease behind at a restart is asked for all the same, until its agent says that it is over', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    await agent.begin('nonce-1');
    world.controller.fleet.runs.cancel(run);
    await world.restart();
    const back = await world.comeBack('ap-1');
    world.clock.advance(1000);
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('leased');
    await back.declined(await back.next('start'), 'cancelled: iperf3 has ended');
    await until('the slot is free', () => world.controller.fleet.servers.list()[0]?.state === 'idle');
    expect(world.record(run).outcome).toBe('cancelled');
  });
});

describe('settings that change', () => {
  it('while a server rests leave it unprobed when it is gone from them', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    world.order('ap-1');
    await agent.begin('nonce-1');
    world.clock.advance(33_000);
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('resting');
    world.controller.reload({ ...world.settings, servers: new Map() });
    world.clock.advance(6000);
    expect(world.log.lines.some(({ message }) => message.startsWith('probed'))).toBe(false);
  });

  it('while a start is unanswered leave it repeated as it was, also when its server is gone', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1', 's-1');
    await agent.next('prepare');
    await agent.ready(run, 'nonce-1');
    expect(await agent.next('start')).toMatchObject({ server: { port: 5201 } });
    world.controller.reload({ ...world.settings, servers: new Map(), organizations: new Map() });
    world.clock.advance(1000);
    expect(await agent.next('start')).toMatchObject({ server: { host: '127.0.0.1', port: 5201 }, nonce: 'nonce-1' });
  });

  it('while a device is asked to prepare make it wait again for its turn', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    world.order('ap-1');
    await agent.next('prepare');
    world.controller.reload({ ...world.settings, servers: new Map() });
    const before = agent.commands.length;
    world.clock.advance(2500);
    await agent.online();
    expect(agent.commands).toHaveLength(before);
  });
});

describe('a lease on disk', () => {
  it('of a run that nobody knows is settled with its agent, and nothing is stored', async () => {
    const settings = worldSettings();
    const store = Store.open(settings.store);
    const row = {
      run: 'r-lost',
      device: 'ap-1',
      server: 's-1',
      endpoint: '127.0.0.1:5201',
      nonce: 'nonce-1',
      boot: 'boot-1',
    };
    store.leases.save({ ...row, token: 41, lease_ms: 26_000, granted: true, tests: [testPlan()] });
    store.close();
    const world = await ControllerFixture.start({ settings });
    const agent = await world.agent('ap-1');
    expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'leased', run: 'r-lost' });
    world.clock.advance(1000);
    expect(await agent.next('start')).toMatchObject({ run: 'r-lost', token: 41 });
    world.clock.advance(32_000);
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('resting');
    expect(world.controller.fleet.runs.records({})).toEqual([]);
  });
});

describe('a disk that is full', () => {
  const tight = async (check = {}) => {
    const disk = smallDisk('4m');
    const world = await ControllerFixture.start({ check, settings: { store: `${disk}/store` } });
    return { disk, world };
  };

  it('ends the controller when a night can not be written down', async () => {
    const { disk, world } = await tight({ enabled: true, schedule: '0 2 * * *', window_ms: HOUR_MS });
    await world.agent('ap-1');
    fillDisk(disk);
    for (let night = 0; night < 400 && world.failures.length === 0; night += 1) {
      world.clock.advance(24 * HOUR_MS);
    }
    expect(world.failures[0]?.message).toMatch(/full/i);
  });

  it('ends the controller when the house can not be kept', () => {
    const store = openStore();
    const failures: Error[] = [];
    const settlement = new Settlement({
      store,
      influx: false,
      checkOf: () => ({ retries: 0, backoff_ms: 30_000 }),
      random: () => 0,
      log: new RecordedLog(),
    });
    const onFatal = (error: Error) => failures.push(error);
    const housekeeping = new Housekeeping({
      retention: () => DEFAULT_RETENTION,
      store,
      settlement,
      clock: new ManualClock(),
      onFatal,
      onPoints: () => {},
    });
    store.close();
    housekeeping.start();
    housekeeping.stop();
    expect(failures[0]).toMatchObject({ kind: 'unavailable' });
  });
});

describe('an organization that left the settings', () => {
  it('has its runs end with the attempt that they are in: nobody says how often to try again', async () => {
    const world = await ControllerFixture.start({ check: { retries: 5 } });
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    world.controller.reload({ ...world.settings, organizations: new Map() });
    await agent.result(start, [corpusOutput('v3.16__err_refused.json')]);
    expect(await world.over(run)).toMatchObject({ outcome: 'failed', reason: 'unreachable', attempts: 1 });
  });

  it('has its runs skipped after a restart, as nobody knows its servers', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    await agent.next('prepare');
    world.settings.organizations.clear();
    await world.restart();
    expect(await world.over(run)).toMatchObject({ outcome: 'skipped', reason: 'no-server' });
  });
});
