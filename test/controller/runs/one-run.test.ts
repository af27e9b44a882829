import { describe, expect, it } from 'vitest';
import { ControllerFixture, testPlan } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { until } from '../../helpers/until.ts';

const GOOD = 'v3.12__tcp_up.json';

describe('a run over a real broker', () => {
  it('goes from order to stored result, and the agent may forget it only then', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const prepare = await agent.next('prepare');
    expect(prepare).toMatchObject({ run, server: { host: '127.0.0.1', port: 5201, auth: null }, lease_ms: 26_000 });
    await agent.ready(run, 'nonce-1');
    const start = await agent.next('start');
    expect(start).toEqual({
      type: 'start',
      run,
      token: 1,
      nonce: 'nonce-1',
      server: { host: '127.0.0.1', port: 5201 },
      lease_ms: 26_000,
    });
    expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'leased', device: 'ap-1', run });
    await agent.started(start);
    await agent.finished(start);
    await until('the slot is free', () => world.controller.fleet.servers.list()[0]?.state === 'idle');
    expect(world.record(run).outcome).toBeNull();
    await agent.result(start, [corpusOutput(GOOD)]);
    expect(await agent.next('accepted')).toEqual({ type: 'accepted', run, token: 1 });
    expect(world.record(run)).toMatchObject({
      run,
      device: 'ap-1',
      organization: 'default',
      server: 's-1',
      via: 'agent',
      outcome: 'success',
      reason: null,
      attempts: 1,
      duration_s: 2.014,
      failures: [],
    });
    expect(world.record(run).measurements).toHaveLength(1);
  });

  it('is settled by the result alone when `finished` is lost, once however often the result comes', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    await agent.result(start, [corpusOutput(GOOD)]);
    await agent.next('accepted');
    await agent.result(start, [corpusOutput(GOOD)]);
    await agent.next('accepted');
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('idle');
    expect(world.record(run).measurements).toHaveLength(1);
  });

  it('has the next device on deck while it runs, and hands the slot over with one start', async () => {
    const world = await ControllerFixture.start();
    const [first, second] = [await world.agent('ap-1'), await world.agent('ap-2')];
    world.order('ap-1');
    const waiting = world.order('ap-2');
    const start = await first.begin('nonce-1');
    const prepare = await second.next('prepare');
    await second.ready(prepare.run, 'nonce-2');
    await until('the second device is on deck', () =>
      world.controller.fleet.runs.progress(waiting)?.phase === 'on-deck' ? true : null,
    );
    expect(second.commands.filter(({ type }) => type === 'start')).toEqual([]);
    expect(world.controller.fleet.servers.list()[0]).toMatchObject({ device: 'ap-1', queued: 0 });
    await first.finished(start);
    expect(await second.next('start')).toMatchObject({ run: waiting, token: 2, nonce: 'nonce-2' });
  });

  it('repeats prepare and start, byte for byte, until they are answered', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const prepare = await agent.next('prepare');
    world.clock.advance(2500);
    expect(await agent.next('prepare')).toEqual(prepare);
    await agent.ready(run, 'nonce-1');
    const start = await agent.next('start');
    world.clock.advance(1000);
    expect(await agent.next('start')).toEqual(start);
  });
});

describe('trouble with a run', () => {
  it('skips a device that is offline, with a warning and without a measurement', async () => {
    const world = await ControllerFixture.start();
    await (await world.agent('ap-1')).online(false);
    await until('ap-1 is gone', () => {
      const view = world.controller.fleet.devices.get('ap-1');
      return view.ok && !view.value.online;
    });
    world.clock.advance(15_000);
    const record = await world.over(world.order('ap-1'));
    expect(record).toMatchObject({ outcome: 'skipped', reason: 'device-offline', measurements: [], via: null });
    expect(world.log.of('warn').map(({ message }) => message)).toContain('run skipped');
  });

  it('fails at once when the agent has no iperf3, and says why for each test', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    await agent.next('prepare');
    const reason = 'iperf3-missing: not on the PATH';
    await agent.send({ type: 'declined', run, boot: agent.boot, token: null, nonce: null, reason });
    expect(await world.over(run)).toMatchObject({
      outcome: 'failed',
      reason: 'local',
      measurements: [],
      failures: [{ test: 'tcp-upload', class: 'local', message: reason, retryable: false }],
    });
  });

  it('tries a server that can not be reached again, then fails with throughput 0', async () => {
    const world = await ControllerFixture.start({ check: { retries: 1 } });
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    for (const nonce of ['nonce-1', 'nonce-2']) {
      const start = await agent.begin(nonce);
      await agent.result(start, [corpusOutput('v3.12__err_refused.json')]);
      await agent.next('accepted');
      world.clock.advance(5000);
    }
    const record = await world.over(run);
    expect(record).toMatchObject({ outcome: 'failed', reason: 'unreachable', attempts: 2 });
    expect(record.measurements).toEqual([
      { test: 'tcp-upload', protocol: 'tcp', direction: 'upload', bits_per_second: 0, bytes: 0, seconds: 0 },
    ]);
  });

  it('tries a name that does not resolve again, as a server that can not be reached', async () => {
    const world = await ControllerFixture.start({ check: { retries: 0 } });
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    await agent.next('prepare');
    const reason = 'unresolved: no address for iperf1.example.net';
    await agent.send({ type: 'declined', run, boot: agent.boot, token: null, nonce: null, reason });
    const record = await world.over(run);
    expect(record).toMatchObject({ outcome: 'failed', reason: 'unreachable' });
    expect(record.measurements[0]?.bits_per_second).toBe(0);
  });

  it('measures again only what is missing, with the bitrate that is known by then', async () => {
    const udp = testPlan({ test: 'udp-upload', protocol: 'udp', bitrate: 'auto' });
    const world = await ControllerFixture.start({ check: { tests: [testPlan(), udp] } });
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    const busy = corpusOutput('v3.12__err_busy.json', { test: 'udp-upload' });
    await agent.result(start, [corpusOutput(GOOD), busy]);
    await agent.next('accepted');
    const figure = world.record(run).measurements[0]?.bits_per_second ?? 0;
    world.clock.advance(5000);
    const { tests } = await agent.next('prepare');
    expect(tests).toEqual([{ ...udp, bitrate: Math.round(0.8 * figure) }]);
  });

  it('frees the slot of an agent that restarted only when the new one has said that it does not run', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    await agent.stop();
    const reborn = await world.comeBack('ap-1', 'boot-2');
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('leased');
    const again = await reborn.next('start');
    expect(again).toEqual(start);
    await reborn.declined(again, 'not-prepared: this run is not on deck');
    await until('the server rests', () => world.controller.fleet.servers.list()[0]?.state === 'resting');
    expect(world.record(run).outcome).toBeNull();
    await until('the run waits again', () => world.controller.fleet.runs.progress(run)?.phase === 'waiting');
  });

  it('is overdue after its deadline, and its result still counts when it comes', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    world.clock.advance(5000 + 26_000 + 1000);
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('resting');
    expect(world.record(run).outcome).toBeNull();
    await agent.result(start, [corpusOutput(GOOD)]);
    expect((await world.over(run)).outcome).toBe('success');
  });

  it('is lost when nothing more was heard for 24 hours, and a still later result adds its measurements only', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    await until('its grant is on disk', () => world.record(run).attempts === 1);
    world.clock.advance(86_400_000 + 600_000);
    expect(await world.over(run)).toMatchObject({ outcome: 'lost', reason: 'no-result', measurements: [] });
    await agent.result(start, [corpusOutput(GOOD)]);
    await agent.next('accepted');
    expect(world.record(run)).toMatchObject({ outcome: 'lost' });
    expect(world.record(run).measurements).toHaveLength(1);
  });

  it('accepts a result that nobody asked for, or it would come for ever, and stores nothing', async () => {
    const world = await ControllerFixture.start();
    const [agent, other] = [await world.agent('ap-1'), await world.agent('ap-2')];
    await agent.result({ run: 'r-unknown', token: 9 }, []);
    expect(await agent.next('accepted')).toMatchObject({ run: 'r-unknown', token: 9 });
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    await other.result(start, [corpusOutput(GOOD)]);
    await other.next('accepted');
    expect(world.record(run).measurements).toEqual([]);
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('leased');
  });

  it('does not let a late `ready` make its agent forget the result that is on its way', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    await agent.finished(start);
    await agent.ready(run, 'nonce-0');
    await agent.result(start, [corpusOutput(GOOD)]);
    await agent.next('accepted');
    expect(agent.commands.some(({ type }) => type === 'cancel')).toBe(false);
    expect((await world.over(run)).outcome).toBe('success');
  });

  it('ends when its result can not be read, and the agent may forget that', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    await agent.result(start, [corpusOutput(GOOD, { started_ms: 1e300 })]);
    await agent.next('accepted');
    expect(await world.over(run)).toMatchObject({ outcome: 'failed', reason: 'malformed' });
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('idle');
  });

  it('tells an agent to forget a run that nobody knows', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    await agent.ready('r-unknown', 'nonce-1');
    expect(await agent.next('cancel')).toMatchObject({ run: 'r-unknown', reason: 'unknown run' });
  });
});

describe('a run that a person cancels', () => {
  it('ends at once while it waits', async () => {
    const world = await ControllerFixture.start();
    const [first] = [await world.agent('ap-1'), await world.agent('ap-2'), await world.agent('ap-3')];
    world.order('ap-1');
    await first.next('prepare');
    world.order('ap-2');
    const run = world.order('ap-3');
    expect(world.controller.fleet.runs.cancel(run)).toEqual({ ok: true, value: { run } });
    expect(world.record(run)).toMatchObject({ outcome: 'cancelled', reason: 'cancelled by a person' });
    expect(world.controller.fleet.runs.cancel(run)).toMatchObject({ ok: false, problem: { error: 'conflict' } });
    expect(world.controller.fleet.runs.cancel('r-none')).toMatchObject({ ok: false, problem: { error: 'not-found' } });
  });

  it('is stopped on the device, and the slot is free when the agent says that the token is dead', async () => {
    const world = await ControllerFixture.start();
    const agent = await world.agent('ap-1');
    const run = world.order('ap-1');
    const start = await agent.begin('nonce-1');
    world.controller.fleet.runs.cancel(run);
    expect(await agent.next('cancel')).toMatchObject({ run });
    expect(world.record(run).outcome).toBe('cancelled');
    expect(world.controller.fleet.servers.list()[0]?.state).toBe('leased');
    await agent.declined(await agent.next('start'), 'cancelled: iperf3 has ended');
    await until('the slot is free', () => world.controller.fleet.servers.list()[0]?.state === 'idle');
    expect(start.token).toBe(1);
  });
});
