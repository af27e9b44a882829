import { mkdirSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { fleetTest } from '../helpers/fleet-test.ts';
import { freePort } from '../helpers/free-port.ts';
import { PackagedMosquitto } from '../helpers/packaged-mosquitto.ts';
import { ONE_SECOND, type RealFleet } from '../helpers/real-fleet.ts';

const test = fleetTest();

/** mosquitto with the packaged access rules, a controller on it, and how to start the agent of a new device. */
const onMosquitto = async (fleet: RealFleet, seconds: number) => {
  const folder = fleet.path('mosquitto');
  mkdirSync(folder, { mode: 0o700 });
  const mosquitto = await PackagedMosquitto.prepare(folder, fleet.env);
  fleet.alsoStop(() => mosquitto.stop());
  await mosquitto.addUser('perfleet-controller', 'hush');
  await mosquitto.start();
  writeFileSync(fleet.path('broker-password'), 'hush\n', { mode: 0o600 });
  const user = { username: 'perfleet-controller', password_file: 'broker-password' };
  const settings = {
    broker: { url: mosquitto.url, ...user, tls: { ca: mosquitto.ca } },
    check: { retries: 0, tests: [{ ...ONE_SECOND, duration: `${seconds}s` }] },
  };
  const controller = await fleet.serve(settings);
  const startAgent = async (device: string) => {
    const credentials = await fleet.addDevice(device);
    expect(credentials.broker).toBe(mosquitto.url);
    await mosquitto.addUser(device, credentials.password);
    return fleet.agent(credentials, { tls: { ca: mosquitto.ca } });
  };
  return { mosquitto, controller, settings, startAgent };
};

test.concurrent('a restart of the broker in the middle of a run costs nothing: the result is stored once', async ({
  fleet,
}) => {
  const { mosquitto, startAgent } = await onMosquitto(fleet, 4);
  await startAgent('ap-1');
  await startAgent('ap-2');
  await fleet.allOnline();
  const first = await fleet.order('ap-1');
  const second = await fleet.order('ap-2');
  await fleet.seen(1);
  await mosquitto.stop();
  await mosquitto.start();
  expect(await fleet.over(first)).toMatchObject({ outcome: 'success', attempts: 1 });
  expect(await fleet.over(second)).toMatchObject({ outcome: 'success' });
  const records = await fleet.api.runs({});
  expect(records.map(({ measurements }) => measurements.length)).toEqual([1, 1]);
  expect(fleet.witness().map(({ what }) => what)).toEqual(['spawn', 'exit', 'spawn', 'exit']);
});

test.concurrent('a second controller on the broker obeys the first: exit code 1, and the first one goes on', async ({
  fleet,
}) => {
  const { controller, settings, startAgent } = await onMosquitto(fleet, 1);
  await startAgent('ap-1');
  await fleet.allOnline();
  const http = { listen: `127.0.0.1:${await freePort()}`, token_file: 'http-token' };
  const file = fleet.configure({ ...settings, http, store: fleet.path('other-store') }, 'second.yaml');
  const second = fleet.start('perfleet.js', ['serve', '--config', file]);
  expect(await second.ended).toEqual({ code: 1, signal: null });
  expect(second.stderr).toMatch(
    /perfleet: the controller stopped: another controller \(boot [0-9a-f]+\) is in charge on this broker: stop it first\n$/,
  );
  expect(controller.running).toBe(true);
  expect(await fleet.over(await fleet.order('ap-1'))).toMatchObject({ outcome: 'success' });
});

test.concurrent('a second controller on the store refuses to start: exit code 1, and the first one goes on', async ({
  fleet,
}) => {
  const first = await fleet.serve();
  const changes = {
    broker: { listen: `mqtt://127.0.0.1:${await freePort()}` },
    http: { listen: `127.0.0.1:${await freePort()}`, token_file: 'http-token' },
  };
  const second = fleet.start('perfleet.js', ['serve', '--config', fleet.configure(changes, 'second.yaml')]);
  expect(await second.ended).toEqual({ code: 1, signal: null });
  expect(second.stderr).toMatch(
    /perfleet: the controller could not start: The store .* is in use by another controller: stop that one first/,
  );
  expect(first.running).toBe(true);
  await fleet.join('ap-1');
  expect(await fleet.over(await fleet.order('ap-1'))).toMatchObject({ outcome: 'success' });
});
