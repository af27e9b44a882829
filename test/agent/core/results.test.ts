import { describe, expect, it } from 'vitest';
import { fitPayload, readStored } from '../../../agent/core/result.ts';
import { MAX_PAYLOAD_BYTES } from '../../../broker/contract/numbers.ts';
import { Bench, prepare, stored, test } from './bench.ts';

describe('a result', () => {
  it('is stored, then finished is said, and it is sent 100 ms later', () => {
    const bench = new Bench().ready().start(7).exit('{"x":1}');
    expect(bench.last.map(({ kind }) => kind)).toEqual(['wake', 'store_result', 'publish', 'log']);
    expect(bench.events()).toEqual([{ type: 'finished', run: 'r-1', boot: 'boot-a', token: 7 }]);
    expect(bench.of('store_result')[0]?.result).toMatchObject({ run: 'r-1', token: 7, nonce: 'n-1' });
    expect(bench.pass(99).of('publish')).toEqual([]);
    expect(bench.pass(1).of('publish')).toHaveLength(1);
    expect(bench.results()[0]).toMatchObject({ run: 'r-1', token: 7, boot: 'boot-a' });
    expect(bench.pass(59_999).results()).toEqual([]);
  });

  it('is kept until its run and token are accepted', () => {
    const bench = new Bench().ready().start(7).exit();
    expect(bench.command({ type: 'accepted', run: 'r-1', token: 8 }).of('forget_result')).toEqual([]);
    expect(bench.command({ type: 'accepted', run: 'r-2', token: 7 }).of('forget_result')).toEqual([]);
    bench.command({ type: 'accepted', run: 'r-1', token: 7 });
    expect(bench.of('forget_result')).toEqual([{ kind: 'forget_result', run: 'r-1' }]);
    expect(bench.pass(1e7).results()).toEqual([]);
  });

  it('is sent at once when its start is repeated, and when the agent stops', () => {
    const bench = new Bench().ready().start(7).exit();
    expect(bench.start(7).results()).toHaveLength(1);
    expect(bench.sentSoon()).toEqual([]);
    const stopped = new Bench().ready().start(7).exit().give({ kind: 'stop' });
    expect(stopped.results()).toHaveLength(1);
    const late = new Bench().ready().start(7).exit();
    late.sentSoon();
    expect(late.give({ kind: 'stop' }).results()).toEqual([]);
  });

  it('is sent again after 60 s, doubling to 15 minutes', () => {
    const bench = new Bench().ready().start(7).exit().pass(100);
    const waits = [60, 120, 240, 480, 900, 900];
    for (const wait of waits) {
      expect(bench.pass(wait * 1000 - 1).results()).toEqual([]);
      bench.pass(1);
      expect(bench.said()).toEqual(['finished']);
      expect(bench.results()).toHaveLength(1);
    }
  });

  it('is sent again on reconnect, and not while there is no connection', () => {
    const bench = new Bench().ready().start(7).exit().give({ kind: 'disconnected' });
    expect(bench.pass(1e6).results()).toEqual([]);
    expect(bench.connect().said()).toEqual(['finished']);
    expect(bench.pass(60_000).results()).toHaveLength(1);
  });

  it('is sent after all that a server waits for: the nonce of the run on deck, and which runs have finished', () => {
    const bench = new Bench({ stored: [stored('r-8', 3), stored('r-9', 4)] }).command(prepare()).checked().connect();
    const sent = bench.of('publish').map(({ what, payload }) => ('type' in payload ? payload.type : what));
    expect(sent).toEqual(['status', 'ready', 'finished', 'finished', 'result', 'result']);
    expect(bench.results().map(({ run }) => run)).toEqual(['r-8', 'r-9']);
  });

  it('is sent again to a controller with another boot', () => {
    const bench = new Bench().ready().start(7).exit();
    const controller = (boot: unknown) => bench.give({ kind: 'message', topic: 'controller', payload: { boot } });
    expect(controller('c-1').results()).toEqual([]);
    expect(controller('c-1').results()).toEqual([]);
    expect(controller({}).results()).toEqual([]);
    expect(controller('c-2').results()).toHaveLength(1);
    bench.give({ kind: 'disconnected' });
    expect(controller('c-3').results()).toEqual([]);
  });

  it('of an earlier start is sent under the new boot, and its token is answered', () => {
    const bench = new Bench({ stored: [stored('r-0', 3)] }).connect();
    expect(bench.results()).toMatchObject([{ run: 'r-0', token: 3, boot: 'boot-a' }]);
    expect(bench.start(3, { run: 'r-0' }).events()[0]).toMatchObject({ type: 'started', nonce: 'n-of-r-0' });
  });

  it('is dropped, the oldest first, when more than 64 are kept', () => {
    const bench = new Bench({ stored: Array.from({ length: 66 }, (_, i) => stored(`r-${i}`, i + 1)) }).connect();
    expect(bench.statuses()[0]).toMatchObject({ pending: 64 });
    expect(bench.results()[0]).toMatchObject({ run: 'r-2' });
    expect(bench.of('forget_result').map(({ run }) => run)).toEqual(['r-0', 'r-1']);
    expect(bench.of('log')[0]?.message).toMatch(/^result of run r-0 dropped/);
  });

  it('is dropped, the oldest first, when more than 8 MiB are kept', () => {
    const bench = new Bench({ stored: Array.from({ length: 9 }, (_, i) => stored(`r-${i}`, i + 1, 'x'.repeat(1e6))) });
    expect(bench.connect().statuses()[0]).toMatchObject({ pending: 8 });
  });

  it('is cut until it fits one message, and says so', () => {
    const long = { exit_code: 0, stderr: 'warning', started_ms: 0, ended_ms: 1 };
    const tests = [
      { ...long, test: 'a', stdout: '"\t\n'.repeat(300_000) },
      { ...long, test: 'b', stdout: '{}', stderr: '\u0001'.repeat(400_000) },
      { ...long, test: 'c', stdout: 'x'.repeat(50_000) },
    ];
    fitPayload(tests);
    expect(Buffer.byteLength(JSON.stringify({ tests }))).toBeLessThan(MAX_PAYLOAD_BYTES);
    expect(tests.map(({ stderr }) => /perfleet: output cut/.test(stderr))).toEqual([true, true, false]);
    expect(tests[2]?.stdout).toHaveLength(50_000);
  });

  it('of 32 long tests still fits', () => {
    const tests = Array.from({ length: 32 }, (_, i) => test({ test: `t${i}`, duration_s: 1 }));
    const bench = new Bench().ready(prepare({ tests, lease_ms: 1e6 })).start(7);
    for (let i = 0; i < 32; i++) bench.exit('"'.repeat(500_000));
    expect(Buffer.byteLength(JSON.stringify(bench.sentSoon()[0]))).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES);
  });

  it.each([
    null,
    [],
    {},
    { ...stored('r', 1), run: '../x' },
    { ...stored('r', 1), token: 0 },
    { ...stored('r', 1), nonce: 1 },
    { ...stored('r', 1), tests: {} },
    { ...stored('r', 1), tests: [{}] },
    ...['test', 'stdout', 'stderr', 'started_ms', 'ended_ms', 'exit_code'].map((key) => ({
      ...stored('r', 1),
      tests: [{ ...stored('r', 1).tests[0], [key]: {} }],
    })),
    { ...stored('r', 1), tests: [{ ...stored('r', 1).tests[0], started_ms: -1 }] },
  ])('that is none is not read back: %j', (value) => {
    expect(readStored(value)).toBeNull();
  });

  it('is read back as it was stored', () => {
    expect(readStored(JSON.parse(JSON.stringify(stored('r', 1))))).toEqual(stored('r', 1));
    const killed = { ...stored('r', 1), tests: [{ ...stored('r', 1).tests[0], exit_code: null, ended_ms: 2.5 }] };
    expect(readStored(killed)).toEqual(killed);
  });
});
