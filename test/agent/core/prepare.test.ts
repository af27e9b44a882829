import { describe, expect, it } from 'vitest';
import type { Limits } from '../../../agent/core/io.ts';
import { Bench, prepare, report, test } from './bench.ts';

const limited = (limits: Partial<Limits>) =>
  new Bench({ limits: { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null, ...limits } });

describe('prepare', () => {
  it('checks iperf3 and the name first, then says ready with a nonce', () => {
    const bench = new Bench().connect().command(prepare());
    expect(bench.of('check')).toEqual([{ kind: 'check', key: 1, host: 'iperf.example.net', wan: false }]);
    expect(bench.said()).toEqual([]);
    bench.checked();
    expect(bench.events()).toEqual([{ type: 'ready', run: 'r-1', boot: 'boot-a', nonce: 'n-1' }]);
  });

  it('repeats ready with a new nonce every 2.5 s, until the prepare is 10 minutes old', () => {
    const bench = new Bench().ready();
    bench.pass(2_500);
    expect(bench.events()).toEqual([{ type: 'ready', run: 'r-1', boot: 'boot-a', nonce: 'n-2' }]);
    bench.pass(600_000);
    expect(bench.said()).toHaveLength(238);
    expect(bench.pass(100_000).said()).toEqual([]);
    expect(bench.start(1).reason()).toMatch(/^not-prepared/);
  });

  it('says ready again at once to the same prepare, and checks anew when the plan differs', () => {
    const bench = new Bench().ready();
    expect(bench.command(prepare()).said()).toEqual(['ready']);
    const old = bench.nonce();
    bench.command(prepare({ tests: [test({ duration_s: 5 })] }));
    expect(bench.said()).toEqual([]);
    expect(bench.of('check')).toHaveLength(1);
    expect(bench.start(1, { nonce: old }).reason()).toMatch(/^nonce-too-old/);
  });

  it('waits for the check when the same prepare comes twice', () => {
    const bench = new Bench().connect().command(prepare()).command(prepare());
    expect(bench.said()).toEqual([]);
    expect(bench.of('check')).toEqual([]);
  });

  it('replaces the run on deck and tells the old one', () => {
    const bench = new Bench().ready().command(prepare({ run: 'r-2' }));
    expect(bench.events()).toEqual([
      {
        type: 'declined',
        run: 'r-1',
        boot: 'boot-a',
        token: null,
        nonce: null,
        reason: 'superseded: run r-2 was prepared',
      },
    ]);
    expect(bench.checked({}, 1).said()).toEqual([]);
    expect(bench.checked().said()).toEqual(['ready']);
    expect(bench.checked().said()).toEqual([]);
  });

  it('is not ready by the answer to a check of another plan of the same run', () => {
    const bench = new Bench().connect().command(prepare());
    bench.command(prepare({ server: { host: 'other.example.net', port: 5201 } }));
    expect(bench.checked({}, 1).said()).toEqual([]);
    expect(bench.checked({ resolved: false }).reason()).toMatch(/^unresolved: no address for other.example.net/);
  });

  it('is declined while another run runs, and answered with started by the run itself', () => {
    const bench = new Bench().ready().start(7);
    bench.command(prepare({ run: 'r-2' }));
    expect(bench.reason()).toBe('busy: run r-1 is running');
    bench.command(prepare());
    expect(bench.events()).toEqual([{ type: 'started', run: 'r-1', boot: 'boot-a', token: 7, nonce: 'n-1' }]);
  });

  it('is answered with finished and the result while the result is kept', () => {
    const bench = new Bench().ready().start(7).exit();
    bench.command(prepare());
    expect(bench.said()).toEqual(['finished']);
    expect(bench.results()).toHaveLength(1);
  });

  it.each([
    [{ iperf3: null, error: 'ENOENT' }, /^iperf3-missing: .*: ENOENT$/],
    [{ iperf3: null }, /^iperf3-missing: .*package$/],
    [{ resolved: false, error: 'ENOTFOUND' }, 'unresolved: no address for iperf.example.net: ENOTFOUND'],
  ])('is declined when the check finds %j', (found, reason) => {
    const bench = new Bench().connect().command(prepare()).checked(found);
    expect(bench.reason()).toMatch(reason);
    expect(bench.pass(5_000).said()).toEqual([]);
  });

  it('is declined when the installed iperf3 is too old for it', () => {
    const auth = { username: 'u', password: 'p', public_key: 'k' };
    const server = { host: 'h', port: 1, auth };
    const bench = new Bench().connect().command(prepare({ server, tests: [test({ direction: 'bidir' })] }));
    bench.checked({ iperf3: '3.1.3' });
    expect(bench.reason()).toBe(
      'plan: tcp-upload: bidir needs iperf3 3.7, this is 3.1.3; tcp-upload: authentication needs iperf3 3.2, this is 3.1.3',
    );
    expect(bench.pass(1_000).statuses()).toHaveLength(1);
    expect(bench.statuses()[0]).toMatchObject({ iperf3: '3.1.3', capabilities: ['tcp', 'udp', 'cross-traffic'] });
  });

  it('lists everything that is wrong with the plan, without quoting the sender', () => {
    const bench = new Bench().connect().command({
      type: 'prepare',
      run: 'r-1',
      server: { host: '--help', port: 0, auth: { username: 'a\nb', password: 'p', public_key: 'k' } },
      tests: [
        { test: '-x y', protocol: 'sctp', direction: 'up', duration_s: 3601, omit_s: 61, streams: 129, bitrate: 0.5 },
        test({ length: 8, window: 0, congestion: '-C' }),
        test({ duration_s: '10' }),
        null,
      ],
      lease_ms: 0,
    });
    expect(bench.reason().split('; ')).toEqual([
      'plan: server.host: expected a host name or an address',
      'server.port: expected a port',
      'lease_ms: expected milliseconds',
      'tests[0].test: expected an id',
      'tests[0].protocol: expected tcp or udp',
      'tests[0].direction: expected upload, download or bidir',
      'tests[0].duration_s: expected a whole number from 1 to 3600',
      'tests[0].omit_s: expected a whole number from 0 to 60',
      'tests[0].streams: expected a whole number from 1 to 128',
      'tests[0].bitrate: expected a whole number from 1 to 1000000000000',
      'tests[1].congestion: expected the name of an algorithm',
      'tests[1].length: expected a whole number from 16 to 1048576',
      'tests[1].window: expected a whole number from 1 to 536870912',
      'tests[2].duration_s: expected a whole number from 1 to 3600',
      'tests[3].test: expected an id',
      'tests[3].protocol: expected tcp or udp',
      'tests[3].direction: expected upload, download or bidir',
      'tests[3].duration_s: expected a whole number from 1 to 3600',
      'tests[2].test: tcp-upload is there twice',
      'server.auth: expected username, password and ',
    ]);
    expect(bench.reason()).toHaveLength(1000);
    expect(bench.of('check')).toEqual([]);
  });

  it.each([[[]], [null], [Array.from({ length: 33 }, (_, i) => test({ test: `t${i}` }))]])(
    'is declined with a list of tests that is no list of 1 to 32',
    (tests) => {
      expect(new Bench().connect().command(prepare({ tests })).reason()).toBe('plan: tests: expected 1 to 32 tests');
    },
  );

  it('wants a lease in whole milliseconds', () => {
    expect(
      new Bench()
        .connect()
        .command(prepare({ lease_ms: '1' }))
        .reason(),
    ).toMatch(/^plan: lease_ms/);
  });

  it('forgets the run on deck when its next prepare is bad', () => {
    const bench = new Bench().ready().command(prepare({ tests: [] }));
    expect(bench.said()).toEqual(['declined']);
    expect(bench.start(1).reason()).toMatch(/^not-prepared/);
  });

  it.each(['iperf.example.net', '192.0.2.1', '2001:db8::1', 'fe80::1%eth0', '::1', 'a_b'])(
    'takes the host %s',
    (host) => {
      expect(
        new Bench()
          .connect()
          .command(prepare({ server: { host, port: 1 } }))
          .said(),
      ).toEqual([]);
    },
  );

  it.each(['', '-c', 'a b', 'a;b', '$(id)', 'a\u0000b', 'a\n', '%eth0', ':%', 'ä', 5, 'x'.repeat(254), 'fe80::1%-x y'])(
    'refuses the host %j',
    (host) => {
      const server = { host, port: 1 };
      expect(new Bench().connect().command(prepare({ server })).reason()).toMatch(/^plan: server.host/);
    },
  );

  it.each([
    [{ username: 'u' }],
    [{ username: 'u'.repeat(1001), password: 'p', public_key: 'k' }],
    [{ username: 'u', password: 'p\r', public_key: 'k' }],
    [{ username: 'u', password: 'p', public_key: 'k\u0000' }],
    [{ username: 'u', password: '\u007f', public_key: 'k' }],
    ['x'],
  ])('refuses the authentication %j', (auth) => {
    const server = { host: 'h', port: 1, auth };
    expect(new Bench().connect().command(prepare({ server })).reason()).toMatch(/^plan: server.auth/);
  });

  it('keeps to the limits of the owner of the device', () => {
    const bench = limited({ max_duration_s: 10, max_streams: 2, max_bitrate: 1_500_000, servers: ['other', 'x:1'] });
    const tests = [
      test({ test: 'a', omit_s: 1, streams: 3 }),
      test({ test: 'b', bitrate: 2_000_000 }),
      test({ test: 'c', protocol: 'udp', streams: 2 }),
      test({ test: 'd', protocol: 'udp', bitrate: 'auto' }),
      test({ test: 'e', protocol: 'udp' }),
    ];
    expect(bench.connect().command(prepare({ tests })).reason().split('; ')).toEqual([
      "plan: server iperf.example.net:5201 is not in this agent's limits.servers",
      'a: 11 s is over max_duration 10 s',
      'a: 3 streams is over max_streams 2',
      'a: bitrate without bound is over max_bitrate 1500000 bit/s',
      'b: bitrate 2000000 is over max_bitrate 1500000 bit/s',
      'c: bitrate 2000000 is over max_bitrate 1500000 bit/s',
    ]);
  });

  it.each([[['IPERF.example.net']], [['iperf.example.net:5201']]])('takes a server on the allow-list %j', (servers) => {
    expect(limited({ servers }).connect().command(prepare()).said()).toEqual([]);
  });

  it('takes an IPv6 address on the allow-list, and caps auto at max_bitrate', () => {
    const bench = limited({ servers: ['[::1]:5201'], max_bitrate: 50_000_000 });
    const tests = [test({ bitrate: 40_000_000 }), test({ test: 'udp', protocol: 'udp', bitrate: 'auto' })];
    bench.ready(prepare({ server: { host: '::1', port: 5201 }, tests, lease_ms: 45_000 }));
    bench.start(1).exit(report(1e9));
    expect(bench.of('spawn')[0]?.argv.join(' ')).toContain('-b 50000000');
  });

  it('offers a nonce when the connection comes after the check', () => {
    const bench = new Bench().command(prepare()).checked();
    expect(bench.said()).toEqual([]);
    expect(bench.connect().said()).toEqual(['ready']);
    bench.give({ kind: 'disconnected' });
    expect(bench.pass(10_000).said()).toEqual([]);
    expect(bench.connect().said()).toEqual(['ready']);
  });

  it.each([
    'x',
    null,
    [],
    {},
    { type: 'prepare' },
    { type: 'prepare', run: '../x' },
    { type: 'nonsense', run: 'r' },
    { type: 'start', run: 'r' },
    { type: 'start', run: 'r', token: 1.5, nonce: 'n' },
    { type: 'start', run: 'r', token: 1, nonce: {} },
    { type: 'accepted', run: 'r', token: -1 },
  ])('a command that makes no sense is dropped with a log: %j', (payload) => {
    const bench = new Bench().connect().command(payload);
    expect(bench.last.map(({ kind }) => kind)).toEqual(['wake', 'log']);
  });
});
