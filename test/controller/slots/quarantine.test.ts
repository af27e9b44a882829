import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, found, only, REST_MS, row, SlotBench } from '../../helpers/slot-bench.ts';

/** A server that rests from now on, after a run whose deadline passed. */
const afterDeadline = () => {
  const bench = new SlotBench();
  bench.begin('r1', 'd1');
  bench.started('r1', 'd1', 1);
  const ending = bench.wait(DEADLINE_MS);
  return { bench, ending };
};

describe('a server after a deadline', () => {
  it('rests as long as iperf3 may hold the dead session, and the lease stays on disk until then', () => {
    const { bench, ending } = afterDeadline();
    expect(only(ending, 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'overdue', reason: 'no-answer-before-deadline' } },
    ]);
    expect(only(ending, 'drop-lease')).toEqual([]);
    expect(bench.states).toEqual(['resting']);
    expect(only(bench.wait(REST_MS - 1), 'drop-lease')).toEqual([]);
    expect(only(bench.wait(1), 'drop-lease')).toEqual([{ type: 'drop-lease', token: 1 }]);
    expect(bench.states).toEqual(['idle']);
  });

  it('is probed every 5 s, and rests on while it is busy or silent', () => {
    const { bench } = afterDeadline();
    expect(only(bench.wait(4999), 'probe')).toEqual([]);
    expect(only(bench.wait(1), 'probe')).toEqual([{ type: 'probe', server: 's1' }]);
    bench.do({ type: 'probed', server: 's1', verdict: 'busy' });
    expect(only(bench.wait(5000), 'probe')).toHaveLength(1);
    bench.do({ type: 'probed', server: 's1', verdict: 'silent' });
    expect(only(bench.wait(5000), 'probe')).toHaveLength(1);
    expect(bench.states).toEqual(['resting']);
  });

  it('rests only half a second more when a probe finds it free, and is not probed again', () => {
    const { bench } = afterDeadline();
    bench.wait(5000);
    bench.do({ type: 'probed', server: 's1', verdict: 'free' });
    expect(only(bench.wait(499), 'probe')).toEqual([]);
    expect(bench.states).toEqual(['resting']);
    expect(only(bench.wait(1), 'drop-lease')).toHaveLength(1);
    expect(bench.states).toEqual(['idle']);
  });

  it('has its next run prepared 5 s before the rest is over, and started when it is', () => {
    const { bench } = afterDeadline();
    bench.online('d2');
    bench.submit('r2', 'd2');
    expect(only(bench.wait(REST_MS - 5001), 'prepare')).toEqual([]);
    expect(only(bench.wait(1), 'prepare')).toMatchObject([{ run: 'r2', server: 's1' }]);
    bench.wait(2500);
    bench.ready('r2', 'd2', 'n1');
    expect(only(bench.wait(2499), 'start')).toEqual([]);
    expect(only(bench.wait(1), 'start')).toMatchObject([{ run: 'r2', nonce: 'n1' }]);
  });

  it('is not bothered by the late result of the overdue run', () => {
    const { bench } = afterDeadline();
    expect(bench.finished('r1', 'd1', 1)).toEqual([]);
    expect(bench.states).toEqual(['resting']);
  });
});

describe('a probe', () => {
  it('that comes back when the server is leased or idle changes nothing', () => {
    const bench = new SlotBench();
    bench.do({ type: 'probed', server: 's1', verdict: 'free' });
    expect(bench.states).toEqual(['idle']);
    bench.begin('r1', 'd1');
    bench.do({ type: 'probed', server: 's1', verdict: 'free' });
    expect(bench.states).toEqual(['leased']);
  });

  it('of a server that is not ours is dropped', () => {
    expect(new SlotBench().do({ type: 'probed', server: 'gone', verdict: 'free' })).toEqual([]);
  });

  it('is not sent while a lease found on deck may be running on the resting server', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 2 });
    bench.slots.recover([found(row(1, 'r1', 'd1')), found(row(2, 'r2', 'd2', { granted: false }))], 0);
    expect(only(bench.wait(DEADLINE_MS + REST_MS), 'probe')).toEqual([]);
  });
});

describe('the slot of a stranger', () => {
  it('keeps its server at rest, unprobed: its client may still be running', () => {
    const bench = new SlotBench();
    bench.do({ type: 'stranger', server: 's1', rest_ms: 30_000 });
    expect(bench.states).toEqual(['resting']);
    expect(only(bench.wait(29_999), 'probe')).toEqual([]);
    expect(bench.states).toEqual(['resting']);
    expect(only(bench.wait(1), 'drop-lease')).toEqual([]);
    expect(bench.states).toEqual(['idle']);
  });

  it('stays for others to see until the rest is over, as a restart in between must find it again', () => {
    const bench = new SlotBench();
    bench.do({ type: 'stranger', server: 's1', rest_ms: 30_000 });
    expect(bench.slots.slotEffects(bench.now)).toEqual([]);
    expect(only(bench.wait(29_999), 'slot')).toEqual([]);
    expect(only(bench.wait(1), 'slot')).toEqual([{ type: 'slot', server: 's1', lease: null, state: 'idle' }]);
    expect(bench.slots.slotEffects(bench.now)).toEqual([{ type: 'slot', server: 's1', lease: null, state: 'idle' }]);
  });

  it('is not shortened by the probe of an earlier rest', () => {
    const { bench } = afterDeadline();
    bench.wait(5000);
    bench.do({ type: 'stranger', server: 's1', rest_ms: 100_000 });
    bench.do({ type: 'probed', server: 's1', verdict: 'free' });
    bench.wait(99_999);
    expect(bench.states).toEqual(['resting']);
    bench.wait(1);
    expect(bench.states).toEqual(['idle']);
  });

  it('does not make the server forget the lease that it rests from', () => {
    const { bench } = afterDeadline();
    bench.do({ type: 'stranger', server: 's1', rest_ms: 1000 });
    expect(only(bench.wait(REST_MS), 'drop-lease')).toEqual([{ type: 'drop-lease', token: 1 }]);
  });

  it('holds back the next start also when the server is leased: the stranger may outlast our lease', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 1 });
    bench.slots.recover([found(row(1, 'r1', 'd1'))], 0);
    bench.do({ type: 'stranger', server: 's1', rest_ms: 60_000 });
    bench.do({ type: 'in-charge', yes: true });
    bench.finished('r1', 'd1', 1);
    expect(bench.states).toEqual(['resting']);
    bench.wait(59_000);
    bench.online('d2');
    bench.submit('r2', 'd2');
    expect(only(bench.ready('r2', 'd2'), 'start')).toEqual([]);
    expect(only(bench.wait(1000), 'start')).toMatchObject([{ run: 'r2' }]);
  });

  it('is not probed either when our own lease beside it ends uncleanly', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.do({ type: 'stranger', server: 's1', rest_ms: 40_000 });
    bench.wait(DEADLINE_MS);
    expect(bench.states).toEqual(['resting']);
    const rest = bench.wait(REST_MS);
    expect(only(rest, 'probe')).toEqual([]);
    expect(only(rest, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 1 }]);
  });

  it('on a server that is not ours is dropped', () => {
    expect(new SlotBench().do({ type: 'stranger', server: 'gone', rest_ms: 1 })).toEqual([]);
  });
});
