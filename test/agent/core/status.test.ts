import { describe, expect, it } from 'vitest';
import { Bench, busy, prepare, stored } from './bench.ts';

const status = (payload: unknown) => ({ kind: 'message', topic: 'status', payload }) as const;

describe('the status', () => {
  it('is published on connect; the last will is the same, offline', () => {
    const bench = new Bench().connect();
    const online = {
      online: true,
      boot: 'boot-a',
      agent: '0.1.0',
      host: 'node',
      iperf3: '3.12',
      capabilities: ['tcp', 'udp', 'bidir', 'cross-traffic'],
      pending: 0,
    };
    expect(bench.of('publish')).toEqual([
      { kind: 'publish', what: 'status', topic: 'perfleet/1/device/ap-12/status', payload: online },
    ]);
    expect(bench.agent.lastWill()).toEqual({ ...online, online: false });
    expect(bench.pass(1e6).of('publish')).toEqual([]);
  });

  it('has no capabilities without iperf3', () => {
    expect(new Bench({ iperf3: null }).connect().statuses()[0]).toMatchObject({ iperf3: null, capabilities: [] });
  });

  it.each([
    [{ online: false, boot: 'boot-a' }],
    [{ online: false, boot: 'boot-z' }],
    [{ online: true, boot: 'boot-z' }],
  ])('is put right when the broker has %j', (payload) => {
    const bench = new Bench().connect().pass(5_000).give(status(payload));
    expect(bench.statuses()).toHaveLength(1);
  });

  it('is put right at most once a second, against another agent with the same name', () => {
    const bench = new Bench().connect();
    for (let i = 0; i < 100; i++) bench.give(status({ online: true, boot: 'boot-z' })).pass(10);
    expect(bench.statuses(bench.all)).toHaveLength(2);
  });

  it('of our own, or one that makes no sense, is left alone', () => {
    const bench = new Bench()
      .connect()
      .pass(5_000)
      .give(status({ online: true, boot: 'boot-a' }));
    expect(bench.statuses()).toEqual([]);
    expect(bench.give(status('x')).statuses()).toEqual([]);
  });

  it('tells of a change a second later, and not of one that is over by then', () => {
    const bench = new Bench().ready().start(7).exit();
    expect(bench.statuses()).toEqual([]);
    bench.command({ type: 'accepted', run: 'r-1', token: 7 });
    expect(bench.pass(1e6).statuses()).toEqual([]);
    const waiting = new Bench().ready().start(7).exit().pass(999);
    expect(waiting.statuses()).toEqual([]);
    expect(waiting.pass(1).statuses()).toMatchObject([{ online: true, pending: 1 }]);
    waiting.command({ type: 'accepted', run: 'r-1', token: 7 });
    expect(waiting.pass(1_000).statuses()).toMatchObject([{ online: true, pending: 0 }]);
  });

  it('tells of a change at once when it connects', () => {
    const bench = new Bench().ready().start(7).exit().give({ kind: 'disconnected' });
    expect(bench.pass(1e5).statuses()).toEqual([]);
    expect(bench.connect().statuses()).toMatchObject([{ pending: 1 }]);
    expect(bench.pass(1e4).statuses()).toEqual([]);
  });

  it('waits for the connection', () => {
    const bench = new Bench().give(status({ online: false, boot: 'boot-z' }));
    expect(bench.statuses()).toEqual([]);
    expect(bench.pass(5_000).connect().statuses()).toHaveLength(1);
  });
});

describe('stop', () => {
  it('says goodbye at once when nothing runs', () => {
    const bench = new Bench().connect().give({ kind: 'stop' });
    expect(bench.last.map(({ kind }) => kind)).toEqual(['wake', 'publish', 'exit']);
    expect(bench.statuses()[0]).toMatchObject({ online: false, boot: 'boot-a' });
    expect(bench.of('wake')[0]?.at_ms).toBeNull();
    expect(bench.connect().last).toEqual([]);
  });

  it('ends iperf3 first, and reports what there is', () => {
    const bench = new Bench()
      .ready(prepare({ lease_ms: 25_000 }))
      .start(7)
      .give({ kind: 'stop' });
    expect(bench.of('kill')).toEqual([{ kind: 'kill', key: 2, signal: 'TERM' }]);
    expect(bench.command(prepare({ run: 'r-2' })).reason()).toMatch(/^stopping/);
    expect(bench.start(9).reason()).toMatch(/^stopping/);
    expect(bench.give({ kind: 'stop' }).of('kill')).toEqual([]);
    expect(bench.pass(2_000).of('kill')).toEqual([{ kind: 'kill', key: 2, signal: 'KILL' }]);
    bench.exit('partial', { exit_code: 143 });
    expect(bench.last.map(({ kind }) => kind)).toEqual([
      'wake',
      'store_result',
      'publish',
      'log',
      'publish',
      'publish',
      'exit',
    ]);
    expect(bench.results()[0]?.tests[0]).toMatchObject({ stdout: 'partial', exit_code: 143 });
    expect(bench.statuses().at(-1)).toMatchObject({ online: false });
  });

  it('leaves after 2.5 s although iperf3 does not end', () => {
    const bench = new Bench().ready().start(7).give({ kind: 'stop' }).pass(2_500);
    expect(bench.of('exit')).toHaveLength(1);
    expect(bench.said()).toEqual([]);
  });

  it('declines the run on deck, and ends one that waits to try again', () => {
    const bench = new Bench().ready().give({ kind: 'stop' });
    expect(bench.reason()).toMatch(/^stopping/);
    const waiting = new Bench().ready().start(7).exit(busy).give({ kind: 'stop' });
    expect(waiting.results()[0]?.tests).toHaveLength(1);
    expect(waiting.of('exit')).toHaveLength(1);
  });

  it('keeps the results for the next start', () => {
    const bench = new Bench({ stored: [stored('r-0', 3)] }).connect().give({ kind: 'stop' });
    expect(bench.of('forget_result')).toEqual([]);
    expect(bench.statuses()[0]).toMatchObject({ online: false, pending: 1 });
  });
});
