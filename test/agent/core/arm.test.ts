import { describe, expect, it } from 'vitest';
import { Bench, busy, prepare, report, test } from './bench.ts';

const udp = test({ test: 'udp', protocol: 'udp', bitrate: 'auto' });

describe('the guard that waits', () => {
  it('is there once the run is ready, and is the one that runs the first test', () => {
    const bench = new Bench().connect().command(prepare());
    expect(bench.of('arm')).toEqual([]);
    bench.checked();
    expect(bench.last.map(({ kind }) => kind)).toEqual(['wake', 'publish', 'arm']);
    const [armed] = bench.of('arm');
    bench.start(7);
    expect(bench.of('spawn')[0]).toMatchObject({ key: armed?.key, argv: armed?.argv, env: armed?.env });
    bench.exit();
    expect(bench.of('disarm', bench.all)).toEqual([]);
  });

  it('knows the credentials of its test', () => {
    const auth = { username: 'u', password: 'p', public_key: '-----BEGIN\nPEM' };
    const [armed] = new Bench().ready(prepare({ server: { host: 'h', port: 1, auth } })).of('arm');
    expect(armed?.env).toEqual({ IPERF3_PASSWORD: 'p' });
    expect(armed?.argv).toContain('/tmp/x/key.pem');
  });

  it('is one, also when the agent says ready again', () => {
    const bench = new Bench().ready().command(prepare()).pass(10_000).give({ kind: 'disconnected' }).connect();
    expect(bench.of('arm', bench.all)).toHaveLength(1);
    expect(bench.of('disarm', bench.all)).toEqual([]);
  });

  it('is for the first test: later ones and second attempts have guards of their own', () => {
    const bench = new Bench().ready(prepare({ tests: [test(), test({ test: 'b' })], lease_ms: 50_000 })).start(7);
    bench.exit(busy).pass(100).exit(report(1)).exit();
    const keys = bench.of('spawn', bench.all).map(({ key }) => key);
    expect(new Set(keys).size).toBe(3);
    expect(bench.of('arm', bench.all).map(({ key }) => key)).toEqual([keys[0]]);
  });

  it('is not there for a first test that depends on a figure', () => {
    const bench = new Bench().ready(prepare({ tests: [udp, test()], lease_ms: 50_000 }));
    expect(bench.of('arm')).toEqual([]);
    expect(bench.start(7).of('spawn')).toHaveLength(1);
  });

  it.each<[string, (bench: Bench) => Bench]>([
    ['is cancelled', (bench) => bench.command({ type: 'cancel', run: 'r-1' })],
    ['makes way for another run', (bench) => bench.command(prepare({ run: 'r-2' }))],
    ['is prepared otherwise', (bench) => bench.command(prepare({ lease_ms: 20_000 }))],
    ['is prepared otherwise, in a way that cannot be', (bench) => bench.command(prepare({ tests: [] }))],
    ['was prepared too long ago', (bench) => bench.pass(600_000)],
    ['has an agent that stops', (bench) => bench.give({ kind: 'stop' })],
    ['has a lease that is too short for a test', (bench) => bench.start(7)],
  ])('is ended when its run %s', (_why, happens) => {
    const bench = happens(new Bench().ready(prepare({ lease_ms: 2_500 })));
    expect(bench.of('disarm')).toEqual([{ kind: 'disarm', key: bench.of('arm', bench.all)[0]?.key }]);
    expect(bench.of('spawn', bench.all)).toEqual([]);
    bench.give({ kind: 'stop' });
    expect(bench.of('disarm', bench.all)).toHaveLength(1);
  });
});
