import { describe, expect, it } from 'vitest';
import { found, only, row, SlotBench } from '../../helpers/slot-bench.ts';

const skip = (bench: SlotBench, run: string) => bench.do({ type: 'skip', run, reason: 'over-budget' });
const ended = { type: 'ended', run: 'r1', ending: { how: 'skipped', reason: 'over-budget' } };

describe('a run that is not to be tried', () => {
  it('ends when it waits', () => {
    const bench = new SlotBench();
    bench.submit('r1', 'd1');
    expect(skip(bench, 'r1')).toEqual([ended]);
    expect(skip(bench, 'r1')).toEqual([]);
    expect(bench.slots.queued('s1')).toBe(0);
    expect(bench.slots.wake(bench.now)).toBe(Number.POSITIVE_INFINITY);
  });

  it('ends when it is held', () => {
    const bench = new SlotBench();
    bench.do({ type: 'suppressions', active: [{ scope: 'fleet' }] });
    bench.submit('r1', 'd1');
    expect(skip(bench, 'r1')).toEqual([ended]);
  });

  it.each(['asked', 'ready'])(
    'ends on deck when its device was %s, which is told, and its seat goes to the next',
    (how) => {
      const bench = new SlotBench();
      bench.begin('r0', 'd0');
      for (const device of ['d1', 'd2']) bench.online(device);
      bench.submit('r1', 'd1');
      bench.submit('r2', 'd2');
      if (how === 'ready') bench.ready('r1', 'd1');
      const out = skip(bench, 'r1');
      expect(only(out, 'cancel')).toEqual([{ type: 'cancel', device: 'd1', run: 'r1', reason: 'over-budget' }]);
      expect(only(out, 'drop-lease')).toHaveLength(how === 'ready' ? 1 : 0);
      expect(only(out, 'ended')).toEqual([ended]);
      expect(only(out, 'prepare')).toMatchObject([{ run: 'r2' }]);
    },
  );

  it('goes on when it has a slot, or may have one', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(skip(bench, 'r1')).toEqual([]);
    bench.started('r1', 'd1', 1);
    expect(skip(bench, 'r1')).toEqual([]);
    const restarted = new SlotBench({ in_charge: false, last_token: 1 });
    restarted.slots.recover([found(row(1, 'r1', 'd1', { granted: false }))], 0);
    expect(skip(restarted, 'r1')).toEqual([]);
    expect(skip(restarted, 'unknown')).toEqual([]);
  });
});
