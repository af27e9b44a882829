import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../helpers/free-port.ts';
import { runAlone, smallController } from './small-controller.ts';

const ANSWERS = { verdict: 'answers', round_trip_ms: 0.2114 } as const;
const IN_USE = { why: 'in-use', client: { device: 'ap-12', run: 'r-1' } } as const;

it('asks all servers without a name, and is content with one that is in use', async () => {
  const { cli, service } = await smallController();
  service.checks.set('milan-1', IN_USE).set('rome-1', ANSWERS);
  expect(await cli('server', 'check')).toEqual({
    code: 0,
    out: `server   address                  verdict  round trip ms
milan-1  iperf1.example.net:5201  in-use               -  run r-1 of ap-12 has it: not probed, it would disturb the test
rome-1   [2001:db8::1]:5202       answers          0.211  it would take a test now
`,
    err: '',
  });
});

it('asks only those that are named, and --json is an array of them', async () => {
  const { cli, service } = await smallController();
  service.checks.set('milan-1', IN_USE).set('rome-1', ANSWERS);
  const two = await cli('server', 'check', 'rome-1', 'milan-1', '--json');
  expect(JSON.parse(two.out)).toMatchObject([{ server: 'rome-1' }, { server: 'milan-1', run: 'r-1' }]);
  const { code, out } = await cli('server', 'check', 'rome-1', '--json');
  const about = { server: 'rome-1', host: '2001:db8::1', port: 5202, version: null, device: null, run: null };
  expect([code, JSON.parse(out)]).toEqual([
    0,
    [{ ...about, verdict: 'answers', round_trip_ms: 0.211, message: 'it would take a test now' }],
  ]);
});

it.each(['resting', 'not-in-charge', 'probed'] as const)('fails when nothing is known: %s', async (why) => {
  const { cli, service } = await smallController();
  service.checks.set('rome-1', { why, client: null });
  const { code, out } = await cli('server', 'check', 'rome-1');
  expect(code).toBe(1);
  expect(out).toContain(why === 'probed' ? 'resting' : why);
});

it.each(['busy', 'silent', 'refused', 'unreachable', 'unresolved', 'not-iperf3'] as const)(
  'fails when a server is %s',
  async (verdict) => {
    const { cli, service } = await smallController();
    service.checks.set('milan-1', { verdict, round_trip_ms: null }).set('rome-1', ANSWERS);
    const { code, out } = await cli('server', 'check');
    expect(code).toBe(1);
    expect(out).toContain(` ${verdict} `);
  },
);

it('says which servers there are when one is not known', async () => {
  const { cli } = await smallController();
  expect(await cli('server', 'check', 'paris-1')).toEqual({
    code: 1,
    out: '',
    err: 'perfleet: there is no server paris-1\n',
  });
});

it('says where servers come from when there is none', async () => {
  const { cli, service } = await smallController();
  service.servers.list = () => [];
  expect(await cli('server', 'check')).toMatchObject({ code: 0, out: '', err: expect.stringContaining('no servers') });
});

it('asks a host directly, without a controller', async () => {
  const server = createServer((socket) => socket.once('data', () => socket.end(Buffer.from([0xff])))).listen(
    0,
    '127.0.0.1',
  );
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const busy = await runAlone(['server', 'check', '--host', '127.0.0.1', '--port', String(port), '--json']);
  expect([busy.code, JSON.parse(busy.out)]).toMatchObject([
    1,
    [{ server: null, host: '127.0.0.1', port, verdict: 'busy', round_trip_ms: expect.any(Number) }],
  ]);
  const away = await runAlone(['server', 'check', '--host', '127.0.0.1', '--port', String(await freePort())]);
  expect(away).toMatchObject({ code: 1, err: '' });
  expect(away.out).toMatch(/^- .* refused .*nobody listens/m);
  const unnamed = await runAlone(['server', 'check', '--host', 'no-such-host.invalid']);
  expect(unnamed.out).toContain('no-such-host.invalid:5201  unresolved');
});

it.each([
  [['milan-1', '--host', '127.0.0.1'], 'name servers or a --host, not both'],
  [['--port', '5202'], '--port goes with --host'],
  [['--host', '127.0.0.1', '--port', '70000'], 'Expected a port from 1 to 65535.'],
  [['no/name'], 'A name is 1 to 64 letters'],
])('refuses %j as a wrong call', async (words, advice) => {
  const { code, err } = await runAlone(['server', 'check', ...words]);
  expect(code).toBe(2);
  expect(err).toContain(advice);
});
