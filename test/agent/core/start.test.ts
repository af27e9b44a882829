import { describe, expect, it } from 'vitest';
import { Bench, busy, prepare, report, test } from './bench.ts';

describe('start', () => {
  it('starts with a fresh nonce: the timer first, then iperf3, then started', () => {
    const bench = new Bench().ready().start(7);
    expect(bench.last.map(({ kind }) => kind)).toEqual(['wake', 'spawn', 'log', 'publish']);
    expect(bench.events()).toEqual([{ type: 'started', run: 'r-1', boot: 'boot-a', token: 7, nonce: 'n-1' }]);
    expect(bench.of('wake')[0]?.at_ms).toBe(1_000 + 18_000);
    expect(bench.of('spawn')[0]).toMatchObject({ until_ms: 1_000 + 20_000, env: {}, key_file: null });
  });

  it('takes a nonce 5 s after it was sent, and not a millisecond later', () => {
    const early = new Bench().ready();
    const nonce = early.nonce();
    expect(early.pass(5_000).start(7, { nonce }).said()).toEqual(['started']);
    const late = new Bench().ready().pass(5_001).start(7, { nonce: 'n-1' });
    expect(late.reason()).toMatch(/^nonce-too-old/);
    expect(late.start(7).reason()).toMatch(/^token-dead/);
    expect(late.start(8).said()).toEqual(['started']);
  });

  it('uses up all nonces of the run', () => {
    const bench = new Bench().ready().pass(2_500).start(7, { nonce: 'n-1' }).exit();
    bench.command({ type: 'accepted', run: 'r-1', token: 7 });
    expect(bench.start(8, { nonce: 'n-2' }).reason()).toMatch(/^not-prepared/);
    expect(bench.start(7, { nonce: 'n-2' }).reason()).toMatch(/^token-dead/);
  });

  it('only answers the token that runs, whatever the nonce beside it', () => {
    const bench = new Bench().ready().start(7);
    bench.start(7, { nonce: 'other' });
    expect(bench.events()).toEqual([{ type: 'started', run: 'r-1', boot: 'boot-a', token: 7, nonce: 'n-1' }]);
    expect(bench.of('spawn')).toEqual([]);
  });

  it('does not take the token of another run for its own: each store counts from 1', () => {
    const bench = new Bench().ready().start(7);
    expect(bench.start(7, { run: 'r-9', nonce: 'other' }).reason()).toMatch(/^busy/);
    bench.exit().start(7, { run: 'r-9', nonce: 'other' });
    expect(bench.reason()).toMatch(/^token-dead/);
    expect(bench.start(7).said()).toEqual(['started', 'finished']);
  });

  it('starts a run whose token is dead for another run', () => {
    const bench = new Bench().start(7, { run: 'r-9', nonce: 'other' });
    expect(bench.reason()).toMatch(/^not-prepared/);
    expect(bench.ready().start(7).said()).toEqual(['started']);
  });

  it('answers the token of a kept result with all that was said', () => {
    const bench = new Bench().ready().start(7).exit().start(7, { nonce: 'late' });
    expect(bench.said()).toEqual(['started', 'finished']);
    expect(bench.events()[0]).toMatchObject({ nonce: 'n-1' });
    expect(bench.results()).toHaveLength(1);
  });

  it('declines another token while it runs, and that token is dead', () => {
    const bench = new Bench().ready().start(7).start(8);
    expect(bench.events()).toEqual([
      { type: 'declined', run: 'r-1', boot: 'boot-a', token: 8, nonce: 'n-1', reason: 'busy: run r-1 is running' },
    ]);
  });

  it('declines a nonce of another run', () => {
    const bench = new Bench().ready().start(7, { run: 'r-2' });
    expect(bench.reason()).toMatch(/^not-prepared/);
  });

  it.each([
    { server: { host: 'iperf.example.net', port: 5201 }, lease_ms: 25_000 },
    { server: null, lease_ms: null },
    { server: { host: 'iperf.example.net', port: 0 }, lease_ms: -1 },
    { server: { host: 'iperf.example.net', port: 5201 }, lease_ms: 25_001 },
  ])('starts for %j, which is what is on deck, or says nothing of it', (target) => {
    expect(new Bench().ready().start(7, target).said()).toEqual(['started']);
  });

  it.each([
    { server: { host: 'other.example.net', port: 5201 } },
    { server: { host: 'iperf.example.net', port: 5202 } },
    { lease_ms: 24_999 },
  ])('declines a start for %j, which is not what is on deck', (target) => {
    const bench = new Bench().ready().start(7, target);
    expect(bench.reason()).toBe('other-prepare: another server or lease is on deck');
    expect(bench.of('spawn')).toEqual([]);
    expect(bench.start(7).reason()).toMatch(/^token-dead/);
    expect(bench.start(8).said()).toEqual(['started']);
  });

  it('forgets the oldest of more than 512 dead tokens, which still have no nonce', () => {
    const bench = new Bench().connect();
    for (let token = 1; token <= 513; token++) bench.start(token);
    expect(bench.start(513).reason()).toMatch(/^token-dead/);
    expect(bench.start(1).reason()).toMatch(/^not-prepared/);
  });
});

describe('cancel', () => {
  it('ends iperf3, TERM then KILL, and the slot is free only when the process is gone', () => {
    const bench = new Bench().ready().start(7).command({ type: 'cancel', run: 'r-1', reason: 'x' });
    expect(bench.of('kill')).toEqual([{ kind: 'kill', key: 2, signal: 'TERM' }]);
    expect(bench.said()).toEqual([]);
    expect(bench.start(7).said()).toEqual(['started']);
    expect(bench.command(prepare({ run: 'r-2' })).reason()).toMatch(/^busy: the iperf3 of a cancelled run/);
    expect(bench.start(9).reason()).toMatch(/^busy: the iperf3 of a cancelled run/);
    expect(bench.pass(1_999).of('kill')).toEqual([]);
    expect(bench.pass(1).of('kill')).toEqual([{ kind: 'kill', key: 2, signal: 'KILL' }]);
    bench.exit('');
    expect(bench.events()).toEqual([
      { type: 'declined', run: 'r-1', boot: 'boot-a', token: 7, nonce: 'n-1', reason: 'cancelled: iperf3 has ended' },
    ]);
    expect(bench.start(7).reason()).toMatch(/^token-dead/);
    expect(bench.of('store_result', bench.all)).toEqual([]);
    expect(bench.ready().start(10).said()).toEqual(['started']);
  });

  it('takes the run off deck, and its start does nothing any more', () => {
    const bench = new Bench().ready().command({ type: 'cancel', run: 'r-1' });
    expect(bench.pass(5_000).said()).toEqual([]);
    expect(bench.start(7).said()).toEqual(['declined']);
  });

  it('forgets the kept result', () => {
    const bench = new Bench().ready().start(7).exit().command({ type: 'cancel', run: 'r-1' });
    expect(bench.of('forget_result')).toEqual([{ kind: 'forget_result', run: 'r-1' }]);
    expect(bench.sentSoon()).toEqual([]);
    expect(bench.start(7).reason()).toMatch(/^token-dead/);
  });

  it('ends a run at once that waits to try again', () => {
    const bench = new Bench().ready().start(7).exit(busy).command({ type: 'cancel', run: 'r-1' });
    expect(bench.reason()).toMatch(/^cancelled/);
    expect(bench.pass(10_000).of('spawn')).toEqual([]);
  });

  it('of another run does nothing', () => {
    const bench = new Bench().ready().start(7).command({ type: 'cancel', run: 'r-2' });
    expect(bench.last.map(({ kind }) => kind)).toEqual(['wake']);
  });
});

describe('the tests of a run', () => {
  const tests = [
    test(),
    test({ test: 'tcp-download', direction: 'download' }),
    test({ test: 'udp', protocol: 'udp', streams: 2, bitrate: 'auto' }),
    test({ test: 'udp-bidir', protocol: 'udp', direction: 'bidir', bitrate: 'auto' }),
    test({ test: 'udp-down', protocol: 'udp', direction: 'download', bitrate: 'auto' }),
  ];
  const plan = prepare({ tests, lease_ms: 1_000_000 });
  const bitrate = (bench: Bench) => /-b (\d+)/.exec(bench.of('spawn')[0]?.argv.join(' ') ?? '')?.[1];

  it('run one after another; auto is 80% of what TCP just reached in that direction, a stream', () => {
    const bench = new Bench().ready(plan).start(7);
    expect(bench.pass(10_020).exit(report(1e8)).of('spawn')).toHaveLength(1);
    expect(bitrate(bench.exit(report(6e7)))).toBe('40000000');
    expect(bitrate(bench.exit('{}'))).toBe('48000000');
    expect(bitrate(bench.exit('{}'))).toBe('48000000');
    bench.exit('{}');
    expect(bench.last.map(({ kind }) => kind)).toEqual(['wake', 'store_result', 'publish', 'log']);
    expect(bench.said()).toEqual(['finished']);
    expect(bench.sentSoon()[0]?.tests.map(({ test, started_ms, ended_ms }) => [test, started_ms, ended_ms])).toEqual([
      ['tcp-upload', 0, 10_020],
      ['tcp-download', 10_020, 10_020],
      ['udp', 10_020, 10_020],
      ['udp-bidir', 10_020, 10_020],
      ['udp-down', 10_020, 10_020],
    ]);
  });

  it('are left out when auto has no figure', () => {
    const bench = new Bench().ready(plan).start(7).exit('nothing').exit(report(6e7));
    expect(bench.of('log').map(({ message }) => message)).toEqual([
      'run r-1: udp is not run, TCP has no figure for its bitrate',
      'run r-1: udp-bidir is not run, TCP has no figure for its bitrate',
    ]);
    bench.exit('{}');
    expect(bench.sentSoon()[0]?.tests.map((one) => one.test)).toEqual(['tcp-upload', 'tcp-download', 'udp-down']);
  });

  it('a run that has nothing to run still ends with a result', () => {
    const bench = new Bench().ready(prepare({ tests: [test({ protocol: 'udp', bitrate: 'auto' })] })).start(7);
    expect(bench.said()).toEqual(['started', 'finished']);
    expect(bench.sentSoon()[0]?.tests).toEqual([]);
  });

  it('are tried again while the server is busy: after 100, 200, 400 and 800 ms, then that is the result', () => {
    const bench = new Bench().ready().start(7);
    for (const wait of [100, 200, 400, 800]) {
      expect(bench.exit(busy).last.map(({ kind }) => kind)).toEqual(['wake']);
      expect(bench.pass(wait - 1).of('spawn')).toEqual([]);
      expect(bench.pass(1).of('spawn')).toHaveLength(1);
    }
    bench.exit(busy);
    expect(bench.said()).toEqual(['finished']);
    expect(bench.sentSoon()[0]?.tests).toEqual([
      {
        test: 'tcp-upload',
        exit_code: 0,
        stdout: busy,
        stderr: '',
        started_ms: 1_500,
        ended_ms: 1_500,
        wan_bytes: null,
        system: null,
      },
    ]);
  });

  it('are not tried again later than 2 s after the spawn', () => {
    const bench = new Bench().ready().start(7).pass(2_001).exit(busy);
    expect(bench.said()).toEqual(['finished']);
  });

  it('are told to end at their limit, and killed 2 s later', () => {
    const bench = new Bench().ready(prepare({ lease_ms: 25_000 })).start(7);
    expect(bench.pass(17_999).of('kill')).toEqual([]);
    expect(bench.pass(1).of('kill')).toEqual([{ kind: 'kill', key: 2, signal: 'TERM' }]);
    expect(bench.pass(2_000).of('kill')).toEqual([{ kind: 'kill', key: 2, signal: 'KILL' }]);
    expect(bench.pass(60_000).of('kill')).toEqual([]);
    expect(bench.said()).toEqual([]);
    expect(bench.exit('', { exit_code: 137 }).said()).toEqual(['finished']);
  });

  it('end with the lease, and none begins that would have less than a second', () => {
    const bench = new Bench().ready(
      prepare({ tests: [test(), test({ test: 'b' }), test({ test: 'c' })], lease_ms: 24_000 }),
    );
    bench.start(7).pass(19_000).exit();
    expect(bench.of('spawn')[0]?.until_ms).toBe(1_000 + 24_000);
    bench.pass(2_001).exit();
    expect(bench.of('log')[0]?.message).toBe('run r-1: the lease ends before test 3');
    expect(bench.sentSoon()[0]?.tests).toHaveLength(2);
  });

  it('never have a longer lease than the plan itself gives', () => {
    const bench = new Bench().ready(prepare({ tests: [test(), test({ test: 'b' })], lease_ms: 1e9 })).start(7);
    bench.pass(18_000).pass(18_900).exit();
    expect(bench.of('spawn')[0]?.until_ms).toBe(1_000 + 45_000);
  });

  it('report the last failure when a late wake leaves no time to try again', () => {
    const bench = new Bench()
      .ready(prepare({ lease_ms: 3_500 }))
      .start(7)
      .exit(busy);
    bench.now += 1_000;
    bench.give({ kind: 'wake' });
    expect(bench.of('spawn')).toEqual([]);
    expect(bench.sentSoon()[0]?.tests[0]?.stdout).toBe(busy);
  });

  it('an exit of something else is ignored', () => {
    const bench = new Bench().ready().start(7).give({ kind: 'exited', key: 99, exit_code: 0, stdout: '', stderr: '' });
    expect(bench.said()).toEqual([]);
  });

  it('have the credentials in the environment and the key in a file', () => {
    const auth = { username: 'u', password: 'p', public_key: '-----BEGIN\nPEM' };
    const bench = new Bench().ready(prepare({ server: { host: 'h', port: 1, auth } })).start(7);
    expect(bench.of('spawn')[0]).toMatchObject({
      env: { IPERF3_PASSWORD: 'p' },
      key_file: { path: '/tmp/x/key.pem', text: '-----BEGIN\nPEM' },
    });
    expect(bench.of('spawn')[0]?.argv).not.toContain('p');
  });
});
