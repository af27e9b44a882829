import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { folderOf } from '../../controller/drivers/ssh/remote-scripts.ts';
import { hashPassword } from '../../controller/store/password.ts';
import { Store } from '../../controller/store/store.ts';
import { fleetTest } from '../helpers/fleet-test.ts';
import { ONE_SECOND, type RealFleet } from '../helpers/real-fleet.ts';
import { iperf3On, onDevice } from '../helpers/remote-processes.ts';
import { SshServer } from '../helpers/ssh-server.ts';
import { until } from '../helpers/until.ts';

/* Devices with dropbear, in place of an agent or beside one, and a controller that is a process. */

const test = fleetTest();

/** What a device's agent needs. */
const PASSWORD = 'of-the-agent';

/** The fleet, with a device that is a real dropbear, registered as `device add --ssh` does, and the configuration for it. */
const withRouter = async (fleet: RealFleet, device: string) => {
  const router = await new SshServer().start();
  fleet.alsoStop(async () => {
    await until('nothing of ours is left on the device', () => onDevice(device).length === 0);
    await router.remove();
    rmSync(folderOf(device), { recursive: true, force: true });
  });
  const { user, host, port, host_key, auth } = router.target();
  writeFileSync(fleet.path('ssh-key'), 'key' in auth ? auth.key : '', { mode: 0o600 });
  const store = Store.open(fleet.path('store'));
  const ssh = { user, host, port, host_key, credentials: 'lab' };
  const about = { device, organization: 'default', tags: [], uplink_group: null, ssh };
  store.devices.add(about, hashPassword(PASSWORD, randomBytes(16)));
  store.close();
  const lasting = (duration: string) => ({
    ssh_credentials: { lab: { key_file: 'ssh-key' } },
    check: { retries: 0, tests: [{ ...ONE_SECOND, duration }] },
  });
  return { router, lasting };
};

const view = async (fleet: RealFleet, device: string) =>
  (await fleet.api.devices()).find((one) => one.device === device);

test.concurrent('a device without an agent is measured over SSH, and one that cannot be reached is skipped, with the reason and without a zero', async ({
  fleet,
}) => {
  const { router, lasting } = await withRouter(fleet, 'e2e-router');
  await fleet.serve(lasting('1s'));
  await fleet.allOnline();
  const measured = await fleet.over(await fleet.order('e2e-router'));
  expect(measured).toMatchObject({ outcome: 'success', via: 'ssh', server: 's-1' });
  expect(measured.measurements[0]?.bits_per_second).toBeGreaterThan(10_000_000);
  expect(await view(fleet, 'e2e-router')).toMatchObject({ via: 'ssh', online: true, agent: null, iperf3: '3.12' });

  router.uninstall();
  const missing = await fleet.over(await fleet.order('e2e-router'));
  expect(missing).toMatchObject({ outcome: 'failed', reason: 'local', measurements: [] });
  expect(JSON.stringify(missing.failures)).toContain('opkg install iperf3');

  await router.stop();
  router.newHostKey('ed25519');
  await router.start();
  const changed = await fleet.over(await fleet.order('e2e-router'));
  expect(changed).toMatchObject({ outcome: 'skipped', reason: 'host-key-changed', via: null, measurements: [] });

  await router.stop();
  const begin = performance.now();
  const away = await fleet.over(await fleet.order('e2e-router'), 40);
  expect(away).toMatchObject({ outcome: 'skipped', reason: 'device-unreachable', measurements: [] });
  // Asked three times, five and ten seconds apart.
  expect(performance.now() - begin).toBeGreaterThan(14_000);
});

test.concurrent('a device whose agent goes away is measured over SSH, and by its agent again when that is back', async ({
  fleet,
}) => {
  const { lasting } = await withRouter(fleet, 'e2e-both');
  await fleet.serve(lasting('5s'));
  const broker = `mqtt://127.0.0.1:${fleet.mqtt_port}`;
  const credentials = { device: 'e2e-both', username: 'e2e-both', password: PASSWORD, broker };
  const isVia = (via: string) =>
    until(`it is reached via ${via}`, async () => (await view(fleet, 'e2e-both'))?.via === via);
  const agent = fleet.agent(credentials);
  await fleet.allOnline();
  await isVia('agent');
  expect(await fleet.over(await fleet.order('e2e-both'))).toMatchObject({ outcome: 'success', via: 'agent' });

  await agent.end('SIGTERM');
  await isVia('ssh');
  const run = await fleet.order('e2e-both');
  await until('it is measured over SSH', () => iperf3On('e2e-both').length > 0);
  // Back in mid-run: it is not asked before that is over.
  const back = fleet.agent(credentials);
  const next = await fleet.order('e2e-both');
  await back.says(/connected to the broker/);
  expect(await view(fleet, 'e2e-both')).toMatchObject({ via: 'ssh' });
  expect(await fleet.over(run)).toMatchObject({ outcome: 'success', via: 'ssh', attempts: 1 });
  expect(await fleet.over(next)).toMatchObject({ outcome: 'success', attempts: 1 });
  await isVia('agent');
  expect(await fleet.over(await fleet.order('e2e-both'))).toMatchObject({ outcome: 'success', via: 'agent' });
});

test.concurrent('a controller that is killed takes its iperf3 on the device with it, and the next one asks over SSH, and measures anew', async ({
  fleet,
}) => {
  const { lasting } = await withRouter(fleet, 'e2e-killed');
  const controller = await fleet.serve(lasting('6s'));
  await fleet.allOnline();
  const run = await fleet.order('e2e-killed');
  await until('it is measured', () => iperf3On('e2e-killed').length > 0);
  await controller.end('SIGKILL');
  await until('its iperf3 is gone', () => onDevice('e2e-killed').length === 0);
  const restart = Date.now();
  await fleet.serve(lasting('1s'));
  await fleet.allOnline();
  const record = await fleet.over(run, 60);
  expect(record).toMatchObject({ outcome: 'success', via: 'ssh', attempts: 2, failures: [] });
  // The lost run was asked for, and declined: its deadline is 27 s after the restart.
  expect(Date.parse(record.granted_at ?? '') - restart).toBeLessThan(25_000);
});
