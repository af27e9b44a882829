import { join } from 'node:path';
import { expect, inject, it, onTestFailed, onTestFinished } from 'vitest';
import { FieldController } from '../helpers/field-controller.ts';
import { ONE_SECOND } from '../helpers/real-fleet.ts';
import { SshField } from '../helpers/ssh-field.ts';
import { until } from '../helpers/until.ts';

const ROUTERS = 20;
const AGENTS = 10;
const SERVERS = 3;

it('a night measures routers over SSH and agents side by side, and no server is ever shared', async () => {
  const field = await SshField.open({ routers: ROUTERS, servers: SERVERS, kinds: ['dropbear', 'sshd'] });
  onTestFinished(() => field.remove());
  const agents = Array.from({ length: AGENTS }, (_, index) => {
    const name = `agent-${index + 1}`;
    return { name, place: field.lan.add(name, 101 + index) };
  });
  const now = new Date();
  const schedule = `${now.getUTCMinutes()} ${now.getUTCHours()} * * *`;
  const controller = await FieldController.prepare({
    field,
    ...{ perfleet: join(inject('programs'), 'perfleet.js'), agent: join(inject('programs'), 'agent.js'), agents },
    check: { enabled: true, schedule, window: '10m', retries: 0, tests: [ONE_SECOND] },
  });
  onTestFinished(() => controller.stop());
  onTestFailed(() => console.error(controller.said));
  await controller.start();
  controller.startAgents();

  const devices = [...field.routers.map(({ name }) => name), ...agents.map(({ name }) => name)].sort();
  const records = await controller.over(devices.length, 120);
  expect(records.map(({ device }) => device).sort()).toEqual(devices);
  for (const record of records) {
    const via = record.device.startsWith('router') ? 'ssh' : 'agent';
    expect(record).toMatchObject({ outcome: 'success', reason: null, via, attempts: 1, failures: [] });
    expect(record.measurements).toMatchObject([{ protocol: 'tcp', direction: 'upload' }]);
  }
  expect(new Set(records.map(({ server }) => server))).toEqual(new Set(field.servers.keys()));

  // One after another on each server: the record of a server is spawn, exit, spawn, exit, …
  const seen = field.witness();
  expect(seen).toHaveLength(2 * devices.length);
  for (const { host, port } of field.servers.values()) {
    const there = seen.filter(({ server }) => server === `${host}:${port}`).map(({ what }) => what);
    expect(there).toEqual(there.map((_, index) => (index % 2 === 0 ? 'spawn' : 'exit')));
  }

  await controller.stop();
  for (const router of field.routers) {
    const left = () => router.processes().filter(({ command }) => /iperf3|PERFLEET/.test(command));
    await until(`nothing of ours is left on ${router.name}`, () => left().length === 0);
  }
}, 180_000);
