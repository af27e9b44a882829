import { rmSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { BUILT_IN } from '../../../controller/config/built-in-alerts.ts';
import { plainServer } from '../../../controller/config/servers-section.ts';
import { folderOf } from '../../../controller/drivers/ssh/remote-scripts.ts';
import { ControllerFixture, testPlan } from '../../helpers/controller-fixture.ts';
import { Iperf3Server } from '../../helpers/iperf3-server.ts';
import { newKey, SshServer } from '../../helpers/ssh-server.ts';
import { until } from '../../helpers/until.ts';

/** A controller in charge, a real iperf3 server, and a real dropbear that is not registered yet. */
const start = async () => {
  const iperf3 = await Iperf3Server.start(process.env);
  onTestFinished(() => iperf3.end('SIGTERM'));
  const router = await new SshServer().start();
  onTestFinished(() => router.remove());
  const { user, host, port, host_key, auth } = router.target();
  const world = await ControllerFixture.start({
    check: { tests: [testPlan({ duration_s: 1, omit_s: 0, bitrate: 20_000_000 })] },
    settings: {
      servers: new Map([['s-1', plainServer('s-1', '127.0.0.1', iperf3.port)]]),
      ssh_credentials: new Map([['lab', { user: null, auth, proxy: null }]]),
      alerts: [...BUILT_IN.values()],
    },
  });
  const add = (device: string) => {
    onTestFinished(() => rmSync(folderOf(device), { recursive: true, force: true }));
    const ssh = { user, host, port, host_key, credentials: 'lab' };
    const about = { device, organization: 'default', tags: [], uplink_group: null };
    return world.controller.fleet.devices.addAll([{ ...about, ssh }]);
  };
  const known = (device: string) => {
    const view = world.controller.fleet.devices.get(device);
    return view.ok ? `${view.value.via} ${view.value.online ? 'online' : 'offline'}` : 'unknown';
  };
  /** A run to its end; the clock goes on with what is put off. */
  const measure = (device: string) => {
    const run = world.order(device);
    return until('the run is over', () => {
      world.clock.advance(5);
      const record = world.record(run);
      return record.outcome === null ? null : record;
    });
  };
  return { world, router, host_key, add, known, measure };
};

it('a device over SSH is there at once, is measured, and says what it has; an iperf3 that is missing is its own fault', async () => {
  const { world, router, add, known, measure } = await start();
  expect(add('in-ssh-1').ok).toBe(true);
  expect(known('in-ssh-1')).toBe('ssh online');
  expect(await measure('in-ssh-1')).toMatchObject({ outcome: 'success', via: 'ssh', attempts: 1 });
  await until('it says what it has', () => {
    world.clock.advance(100);
    const view = world.controller.fleet.devices.get('in-ssh-1');
    return view.ok && view.value.agent === null && view.value.iperf3?.startsWith('3.');
  });
  router.uninstall();
  expect(await measure('in-ssh-1')).toMatchObject({ outcome: 'failed', reason: 'local' });
  world.controller.fleet.devices.remove('in-ssh-1');
  expect(world.controller.fleet.status().devices_online).toBe(0);
});

it('a device that shows another host key is skipped, people are told, and it is measured again once that is trusted', async () => {
  const { world, router, add, measure } = await start();
  add('in-ssh-2');
  await router.stop();
  router.newHostKey('ed25519');
  await router.start();
  expect(await measure('in-ssh-2')).toMatchObject({ outcome: 'skipped', reason: 'host-key-changed', via: null });
  const firing = async () => {
    const { alerts } = await world.controller.fleet.alerts.list({ all: false, limit: 10 });
    return alerts.map(({ rule, state }) => `${rule} ${state}`);
  };
  expect(await firing()).toEqual(['host-key-changed firing']);
  world.controller.fleet.hostKeys.trust('in-ssh-2', { host_key: router.hostKey() });
  expect(await firing()).toEqual([]);
  expect(await measure('in-ssh-2')).toMatchObject({ outcome: 'success', via: 'ssh' });
});

it('SSH settings change only while no run is under way over them; the next run is measured where they say', async () => {
  const { world, router, host_key, add, known, measure } = await start();
  add('in-ssh-4');
  const { sshSettings } = world.controller.fleet;
  const { user, port } = router.target();
  const set = (host: string, key = host_key) =>
    sshSettings.set('in-ssh-4', { user, host, port, credentials: 'lab', host_key: key });
  const run = world.order('in-ssh-4');
  for (const answer of [set('localhost'), sshSettings.clear('in-ssh-4')])
    expect(answer).toMatchObject({ ok: false, problem: { error: 'conflict' } });
  world.controller.fleet.runs.cancel(run);
  await until('the run is over', () => world.record(run).outcome);
  expect(set('127.0.0.1', newKey('ed25519').public_key.trim()).ok).toBe(true);
  expect(await measure('in-ssh-4')).toMatchObject({ outcome: 'skipped', reason: 'host-key-changed' });
  expect(set('localhost').ok).toBe(true);
  const { alerts } = await world.controller.fleet.alerts.list({ all: false, limit: 10 });
  expect(alerts).toEqual([]);
  expect(await measure('in-ssh-4')).toMatchObject({ outcome: 'success', via: 'ssh' });
  expect(sshSettings.clear('in-ssh-4').ok).toBe(true);
  expect(known('in-ssh-4')).toBe('ssh offline');
});

it('an agent of such a device goes first, its will leaves it to SSH, and what it says as if it were SSH is not heard', async () => {
  const { world, add, known } = await start();
  const added = add('in-ssh-3');
  const password = added.ok ? (added.value.devices[0]?.password ?? '') : '';
  const agent = await world.comeBack('in-ssh-3', 'boot-1', password);
  await until('its agent goes first', () => known('in-ssh-3') === 'agent online');
  const run = world.order('in-ssh-3');
  await agent.next('prepare');
  await agent.send({ type: 'ready', run, boot: 'ssh-of-mine', nonce: 'nonce-1' });
  expect(await agent.next('cancel')).toMatchObject({ run, reason: 'not expected now' });
  await agent.send({
    type: 'declined',
    run,
    boot: 'ssh-of-mine',
    token: null,
    nonce: null,
    reason: 'iperf3-missing: x',
  });
  await agent.online(false);
  await until('it is left to SSH', () => known('in-ssh-3') === 'ssh online');
  expect(world.record(run).outcome).toBeNull();
});

it('the result of a run over SSH that has just finished is stored when the controller is stopped', async () => {
  const { world, add } = await start();
  add('in-ssh-4');
  const run = world.order('in-ssh-4');
  const phase = () => world.controller.fleet.runs.progress(run)?.phase;
  // The result follows when the clock goes on, and then it does not.
  await until('it has finished', () => {
    if (phase() !== 'running' && phase() !== 'finished') world.clock.advance(5);
    return phase() === 'finished';
  });
  expect(world.record(run).measurements).toEqual([]);
  await world.restart();
  expect(world.record(run)).toMatchObject({ outcome: 'success', via: 'ssh', attempts: 1 });
});

it('a device that was removed while its agent was online, and added again with SSH settings, is measured over SSH', async () => {
  const { world, add, known, measure } = await start();
  await world.agent('in-ssh-5');
  expect(known('in-ssh-5')).toBe('agent online');
  world.controller.fleet.devices.remove('in-ssh-5');
  expect(add('in-ssh-5').ok).toBe(true);
  expect(known('in-ssh-5')).toBe('ssh online');
  expect(await measure('in-ssh-5')).toMatchObject({ outcome: 'success', via: 'ssh' });
});

it('a run over SSH waits again at its deadline when the controller was restarted and the device stays away', async () => {
  const { world, router, add } = await start();
  add('in-ssh-6');
  const run = world.order('in-ssh-6');
  const phase = () => world.controller.fleet.runs.progress(run)?.phase;
  await until('iperf3 runs', () => {
    if (phase() !== 'running') world.clock.advance(5);
    return phase() === 'running';
  });
  await world.restart();
  await router.stop();
  await world.inCharge();
  expect(world.controller.fleet.servers.list()[0]).toMatchObject({ state: 'leased', run });
  await until('it waits again', () => {
    world.clock.advance(500);
    return phase() === 'waiting';
  });
  await router.start();
  const record = await until('it is over', () => {
    world.clock.advance(phase() === 'waiting' ? 500 : 5);
    const found = world.record(run);
    return found.outcome === null ? null : found;
  });
  expect(record).toMatchObject({ outcome: 'success', via: 'ssh', attempts: 2 });
});

it('many devices that are added together are there one batch after another, and the controller goes on meanwhile', async () => {
  const { world, host_key } = await start();
  const ssh = { user: 'root', host: '127.0.0.1', port: 22, host_key, credentials: 'lab' };
  const about = { organization: 'default', tags: [], uplink_group: null };
  const many = Array.from({ length: 600 }, (_, n) => ({ ...about, device: `m-${n}`, ssh: { ...ssh, host: `h-${n}` } }));
  expect(world.controller.fleet.devices.addAll(many).ok).toBe(true);
  const online = () => world.controller.fleet.status().devices_online;
  expect(online()).toBe(250);
  await until('all are there', () => online() === 600);
});
