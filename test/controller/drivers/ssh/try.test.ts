import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../broker/clock.ts';
import type { Inbound } from '../../../../broker/contract/inbound.ts';
import { SshDriver } from '../../../../controller/drivers/ssh/ssh-driver.ts';
import { Iperf3Server } from '../../../helpers/iperf3-server.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { SshServer } from '../../../helpers/ssh-server.ts';
import { until } from '../../../helpers/until.ts';

it.each(['dropbear', 'sshd'] as const)('runs over %s', async (kind) => {
  const server = await new SshServer({ kind }).start();
  onTestFinished(() => server.remove());
  const iperf3 = await Iperf3Server.start(process.env);
  onTestFinished(() => iperf3.end('SIGTERM'));
  const messages: Inbound[] = [];
  const log = new RecordedLog();
  const driver = new SshDriver({
    targetOf: () => server.target(),
    onMessage: (m) => {
      console.log(performance.now(), JSON.stringify(m).slice(0, 600));
      messages.push(m);
    },
    clock: systemClock,
    random: () => randomBytes(16).toString('hex'),
    log,
    boot: 'b',
    version: '1',
  });
  onTestFinished(() => driver.stop());
  const test = {
    test: 'tcp-upload',
    protocol: 'tcp' as const,
    direction: 'upload' as const,
    duration_s: 1,
    omit_s: 0,
    streams: 1,
    bitrate: null,
    length: null,
    window: null,
    congestion: null,
  };
  driver.prepare(
    { type: 'prepare', device: 'ap-1', run: 'r1', server: 's', tests: [test], lease_ms: 20000, max_cross_traffic: 1e9 },
    { host: '127.0.0.1', port: iperf3.port, auth: null },
  );
  const ready = await until('ready', () => messages.find((m) => m.kind === 'event')).catch((e) => {
    console.log(server.log, log.lines);
    throw e;
  });
  if (ready.kind !== 'event' || ready.payload.type !== 'ready') throw new Error('not ready');
  console.log(performance.now(), 'start');
  driver.start('ap-1', 'r1', 1, ready.payload.nonce, { host: '127.0.0.1', port: iperf3.port }, 20000);
  await until('result', () => messages.find((m) => m.kind === 'result'));
  driver.accepted('ap-1', 'r1', 1);
  await driver.stop();
  console.log(log.lines);
  expect(1).toBe(1);
});
