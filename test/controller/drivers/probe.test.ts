import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { probeServer } from '../../../controller/drivers/probe.ts';
import { freePort } from '../../helpers/free-port.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';

const HOST = '127.0.0.1';

const startIperf3 = (...args: string[]) => {
  const child = spawn('timeout', ['60', 'iperf3', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(async () => {
    const gone = once(child, 'exit');
    if (child.exitCode === null && child.kill()) await gone;
  });
  return child;
};

it('finds a real iperf3 server free, and busy while it runs a test, which is not disturbed', async () => {
  const port = await freePort();
  startIperf3('-s', '-B', HOST, '-p', String(port));
  await until('the server is free', async () => (await probeServer(HOST, port, systemClock)) === 'free');
  let client = startIperf3('-c', HOST, '-p', String(port), '-t', '2', '-b', '1M', '-J');
  // The server may still be cleaning up after the probe.
  await until('the server is busy', async () => {
    if (client.exitCode !== null) client = startIperf3('-c', HOST, '-p', String(port), '-t', '2', '-b', '1M', '-J');
    return (await probeServer(HOST, port, systemClock)) === 'busy';
  });
  let output = '';
  client.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await once(client, 'close');
  expect(JSON.parse(output).end.sum_received.bytes).toBeGreaterThan(0);
});

it('calls a server silent that says nothing for 3 s, that closes at once, or that is not there', async () => {
  const mute = createServer(() => {}).listen(0, HOST);
  const rude = createServer((socket) => socket.end()).listen(0, HOST);
  onTestFinished(() => {
    mute.close();
    rude.close();
  });
  await Promise.all([once(mute, 'listening'), once(rude, 'listening')]);
  const portOf = (server: typeof mute) => (server.address() as { port: number }).port;
  const clock = new ManualClock();
  const arrived = once(mute, 'connection');
  const verdict = probeServer(HOST, portOf(mute), clock);
  await arrived;
  clock.advance(3000);
  expect(await verdict).toBe('silent');
  expect(await probeServer(HOST, portOf(rude), systemClock)).toBe('silent');
  expect(await probeServer(HOST, await freePort(), systemClock)).toBe('silent');
});
