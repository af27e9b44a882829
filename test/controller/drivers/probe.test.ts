import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
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
  await until('the server is free', async () => (await probeServer(HOST, port, systemClock)).verdict === 'answers');
  let client = startIperf3('-c', HOST, '-p', String(port), '-t', '2', '-b', '1M', '-J');
  // The server may still be cleaning up after the probe.
  await until('the server is busy', async () => {
    if (client.exitCode !== null) client = startIperf3('-c', HOST, '-p', String(port), '-t', '2', '-b', '1M', '-J');
    return (await probeServer(HOST, port, systemClock)).verdict === 'busy';
  });
  let output = '';
  client.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await once(client, 'close');
  expect(JSON.parse(output).end.sum_received.bytes).toBeGreaterThan(0);
});

/** Something that listens, and does this with who comes. */
const listening = async (greet: (socket: Socket) => void): Promise<{ port: number }> => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    greet(socket);
  }).listen(0, HOST);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
};

const NOT_ANSWERED = { round_trip_ms: null };

it('tells how long a server took to answer', async () => {
  const { port } = await listening((socket) => socket.once('data', () => socket.write(Buffer.from([9]))));
  const { verdict, round_trip_ms } = await probeServer(HOST, port, systemClock);
  expect(verdict).toBe('answers');
  expect(round_trip_ms).toBeGreaterThan(0);
  expect(round_trip_ms).toBeLessThan(3000);
});

it('calls a server silent that says nothing for 3 s, that hangs up, or that resets the connection', async () => {
  const clock = new ManualClock();
  const mute = await listening((socket) => socket.once('data', () => clock.advance(3000)));
  expect(await probeServer(HOST, mute.port, clock)).toEqual({ verdict: 'silent', ...NOT_ANSWERED });
  const rude = await listening((socket) => socket.end());
  expect(await probeServer(HOST, rude.port, systemClock)).toEqual({ verdict: 'silent', ...NOT_ANSWERED });
  const harsh = await listening((socket) => socket.once('data', () => socket.resetAndDestroy()));
  expect(await probeServer(HOST, harsh.port, systemClock)).toEqual({ verdict: 'silent', ...NOT_ANSWERED });
});

it('calls a port refused where nobody listens', async () => {
  expect(await probeServer(HOST, await freePort(), systemClock)).toEqual({ verdict: 'refused', ...NOT_ANSWERED });
});

it('knows that something else than iperf3 answers', async () => {
  const { port } = await listening((socket) => socket.write('SSH-2.0-dropbear\r\n'));
  expect(await probeServer(HOST, port, systemClock)).toMatchObject({ verdict: 'not-iperf3' });
});

it('calls a name unresolved, also when nobody tells within 3 s, and an address unreachable to which there is no way', async () => {
  expect(await probeServer('no-such-host.invalid', 5201, systemClock)).toEqual({
    verdict: 'unresolved',
    ...NOT_ANSWERED,
  });
  const clock = new ManualClock();
  const [name, address] = [probeServer('localhost', 9, clock), probeServer('192.0.2.1', 9, clock)];
  clock.advance(3000);
  expect(await name).toEqual({ verdict: 'unresolved', ...NOT_ANSWERED });
  expect(await address).toEqual({ verdict: 'unreachable', ...NOT_ANSWERED });
  // A broadcast address takes no TCP connection.
  expect(await probeServer('255.255.255.255', 9, systemClock)).toEqual({ verdict: 'unreachable', ...NOT_ANSWERED });
});
