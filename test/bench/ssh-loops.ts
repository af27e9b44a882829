import '../../agent/hosts/node/builtins.ts';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { argv } from '../../agent/iperf3/argv.ts';
import { systemClock } from '../../broker/clock.ts';
import { quote } from '../../controller/drivers/ssh/quote.ts';
import type { SshDevice } from '../helpers/ssh-device.ts';
import type { SshField } from '../helpers/ssh-field.ts';
import { PLAN } from './ssh-plan.ts';

/** iperf3 3.11 to 3.13 exit with 0 when they fail. */
const Good = z.object({ end: z.object({ sum_received: z.object({ bytes: z.number().positive() }) }) });

/** How a loop runs a command on a device. */
export type On = (device: SshDevice, command: string[]) => string[];

/** On the device itself, without SSH: only the network is that of the device. `nsenter` is the cheapest way there. */
export const bare: On = (device, [program = '', ...args]) => [
  ...['nsenter', `--net=/run/netns/${device.namespace}`, join(device.server.bin, program), ...args],
];

/** `ssh device iperf3 …`, as anybody would type it. */
export const overSsh = (field: SshField): On => {
  const folder = join(field.folder, 'ssh');
  mkdirSync(folder);
  const known_hosts = field.routers.map(({ address, server }) => `${address} ${server.hostKey()}\n`).join('');
  writeFileSync(join(folder, 'known_hosts'), known_hosts);
  writeFileSync(join(folder, 'key'), field.login.key, { mode: 0o600 });
  const options = ['-F', 'none', '-i', join(folder, 'key'), '-o', `UserKnownHostsFile=${folder}/known_hosts`];
  options.push('-o', 'StrictHostKeyChecking=yes', '-o', 'IdentitiesOnly=yes');
  return (device, command) => ['ssh', ...options, `${device.server.target().user}@${device.address}`, quote(command)];
};

/** One device after another, with the same iperf3 command as perfleet's; resolves with the time when it began. Rejects when one failed. */
export const loop = async (field: SshField, name: string, on: On, signal: AbortSignal): Promise<number> => {
  const folder = join(field.folder, name);
  mkdirSync(folder);
  const [server] = field.servers.values();
  if (server === undefined) throw new Error('there is no server');
  const target = { host: server.host, port: server.port, username: null, key_path: null };
  const command = ['iperf3', ...argv(PLAN, target, null, field.iperf3_version)];
  const lines = field.routers.map((router) => `${quote(on(router, command))} >${router.name}.json || exit`);
  writeFileSync(join(folder, 'loop.sh'), lines.join('\n'));
  const began_ms = systemClock.wall();
  await promisify(execFile)('sh', ['loop.sh'], { cwd: folder, signal, timeout: 120_000 });
  for (const router of field.routers) Good.parse(JSON.parse(readFileSync(join(folder, `${router.name}.json`), 'utf8')));
  return began_ms;
};
