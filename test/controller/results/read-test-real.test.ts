import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TestPlan } from '../../../broker/contract/messages.ts';
import { type Iperf3Result, readTest } from '../../../controller/results/read-test.ts';

const servers: ChildProcess[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server.exitCode !== null || server.signalCode !== null) continue;
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  }
});

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
};

/** A real server for one test; `timeout` ends it at the latest after 30 s. */
const startServer = async (): Promise<number> => {
  const port = await freePort();
  const server = spawn('timeout', ['30', 'iperf3', '-s', '-1', '-B', '127.0.0.1', '-p', `${port}`, '--forceflush']);
  servers.push(server);
  await once(server.stdout, 'data');
  return port;
};

const runClient = async (port: number, options: string[]): Promise<Iperf3Result> => {
  const client = spawn('timeout', ['30', 'iperf3', '-J', '-c', '127.0.0.1', '-p', `${port}`, '-t', '1', ...options]);
  let stdout = '';
  let stderr = '';
  client.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  client.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [exit_code] = await once(client, 'close');
  return { stdout, stderr, exit_code };
};

describe('the iperf3 of this machine', () => {
  it.each([
    ['tcp-upload', []],
    ['tcp-download', ['-R']],
    ['tcp-upload', ['-P', '4']],
    ['tcp-bidir', ['--bidir']],
    ['udp-upload', ['-u', '-b', '5M']],
    ['udp-download', ['-u', '-b', '5M', '-R', '-O', '1']],
    ['udp-bidir', ['-u', '-b', '5M', '--bidir', '--get-server-output']],
  ])('is read without a warning: %s %j', async (test, options) => {
    const [protocol, direction] = test.split('-');
    const plan = TestPlan.parse({ test, protocol, direction, duration_s: 1 });
    const result = await runClient(await startServer(), options);
    const reading = readTest(result, plan);
    expect(reading).toMatchObject({ ok: true, version: expect.stringMatching(/^3\.\d+/), warnings: [] });
    expect(readTest(result, null)).toEqual(reading);
    if (!reading.ok) return;
    const directions = direction === 'bidir' ? ['upload', 'download'] : [direction];
    expect(reading.measurements.map((one) => one.direction)).toEqual(directions);
    for (const { bytes, seconds, bits_per_second } of reading.measurements) {
      expect(bits_per_second / ((8 * bytes) / seconds)).toBeCloseTo(1, 2);
      if (protocol === 'udp') expect(bits_per_second / 5e6).toBeCloseTo(1, 0);
    }
  });

  it('is unreachable where nobody listens, whatever it exits with', async () => {
    const reading = readTest(await runClient(await freePort(), []), null);
    expect(reading).toMatchObject({ ok: false, failure: { class: 'unreachable', retryable: true } });
  });

  it('refuses an unknown option as a local fault', async () => {
    const reading = readTest(await runClient(await freePort(), ['--no-such-option']), null);
    expect(reading).toMatchObject({ ok: false, failure: { class: 'local', retryable: false } });
  });
});
