import { describe, expect, it } from 'vitest';
import { found, only, row, SlotBench } from '../../helpers/slot-bench.ts';

const served = (bench: SlotBench, busy_elsewhere: boolean) =>
  bench.do({ type: 'served', server: 's1', busy_elsewhere });

describe('a server that tests somebody else', () => {
  it('is shown so, and nobody starts there for 5 s; who is on deck is prepared meanwhile', () => {
    const bench = new SlotBench();
    expect(only(served(bench, true), 'slot')).toEqual([
      { type: 'slot', server: 's1', lease: null, state: 'busy-elsewhere' },
    ]);
    bench.online('d1');
    expect(only(bench.submit('r1', 'd1'), 'prepare')).toHaveLength(1);
    expect(only(bench.ready('r1', 'd1'), 'start')).toEqual([]);
    bench.wait(2500);
    bench.ready('r1', 'd1', 'n2');
    expect(only(bench.wait(2499), 'start')).toEqual([]);
    expect(bench.states).toEqual(['busy-elsewhere']);
    expect(only(bench.wait(1), 'start')).toMatchObject([{ run: 'r1', nonce: 'n2' }]);
  });

  it('is left alone twice as long each time in a row, up to a minute', () => {
    const bench = new SlotBench();
    const waits = [5, 10, 20, 40, 60, 60].map((expected_s) => {
      served(bench, true);
      bench.wait(1000 * expected_s - 1);
      const before = bench.states;
      bench.wait(1);
      return [...before, ...bench.states];
    });
    for (const states of waits) expect(states).toEqual(['busy-elsewhere', 'idle']);
  });

  it('is left alone a quarter longer or shorter, by chance', () => {
    const bench = new SlotBench({ random: () => 0 });
    served(bench, true);
    bench.wait(3749);
    expect(bench.states).toEqual(['busy-elsewhere']);
    bench.wait(1);
    expect(bench.states).toEqual(['idle']);
  });

  it('is probed every 5 s, and free half a second after a probe says so', () => {
    const bench = new SlotBench();
    for (let n = 0; n < 3; n += 1) served(bench, true);
    expect(only(bench.wait(4999), 'probe')).toEqual([]);
    expect(only(bench.wait(1), 'probe')).toEqual([{ type: 'probe', server: 's1' }]);
    bench.do({ type: 'probed', server: 's1', verdict: 'busy' });
    expect(only(bench.wait(5000), 'probe')).toHaveLength(1);
    bench.do({ type: 'probed', server: 's1', verdict: 'free' });
    expect(only(bench.wait(499), 'probe')).toEqual([]);
    expect(bench.states).toEqual(['busy-elsewhere']);
    bench.wait(1);
    expect(bench.states).toEqual(['idle']);
  });

  it('has its seat open 5 s before the wait is over', () => {
    const bench = new SlotBench();
    served(bench, true);
    served(bench, true);
    bench.online('d1');
    expect(only(bench.submit('r1', 'd1'), 'prepare')).toEqual([]);
    expect(only(bench.wait(4999), 'prepare')).toEqual([]);
    expect(only(bench.wait(1), 'prepare')).toHaveLength(1);
  });

  it('is forgotten to have been so when a result says that it was not', () => {
    const bench = new SlotBench();
    served(bench, true);
    served(bench, true);
    served(bench, false);
    expect(bench.states).toEqual(['idle']);
    served(bench, true);
    bench.wait(5000);
    expect(bench.states).toEqual(['idle']);
    expect(served(bench, false)).toEqual([]);
  });

  it('is not probed while we use it, and left alone after that', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    served(bench, true);
    served(bench, true);
    expect(only(bench.wait(6000), 'probe')).toEqual([]);
    expect(only(bench.finished('r1', 'd1', 1), 'probe')).toHaveLength(1);
    expect(bench.states).toEqual(['busy-elsewhere']);
  });

  it('is probed for its rest while it rests', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.wait(30_000);
    for (let n = 0; n < 4; n += 1) served(bench, true);
    bench.wait(1000);
    expect(bench.states).toEqual(['resting']);
    expect(only(bench.wait(5000), 'probe')).toHaveLength(1);
    bench.do({ type: 'probed', server: 's1', verdict: 'free' });
    bench.wait(500);
    expect(bench.states).toEqual(['idle']);
  });

  it('is asked for a lease found on disk all the same', () => {
    const bench = new SlotBench({ in_charge: false, last_token: 2 });
    bench.slots.recover([found(row(2, 'r2', 'd2', { granted: false }))], 0);
    served(bench, true);
    expect(only(bench.do({ type: 'in-charge', yes: true }), 'start')).toMatchObject([{ token: 2 }]);
  });

  it('rests when a stranger’s slot is found meanwhile', () => {
    const bench = new SlotBench();
    served(bench, true);
    bench.do({ type: 'stranger', server: 's1', rest_ms: 30_000 });
    expect(bench.states).toEqual(['resting']);
    expect(bench.wait(30_000).filter(({ type }) => type === 'slot')).toEqual([
      { type: 'slot', server: 's1', lease: null, state: 'idle' },
    ]);
  });
});
