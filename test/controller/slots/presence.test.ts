import { describe, expect, it } from 'vitest';
import { only, SlotBench } from '../../helpers/slot-bench.ts';

describe('presence', () => {
  it('keeps a device online when the last will of an earlier boot comes late', () => {
    const bench = new SlotBench();
    bench.online('d1', 'd1-b1');
    bench.online('d1', 'd1-b2');
    bench.offline('d1', 'd1-b1');
    expect(bench.slots.isOnline('d1')).toBe(true);
  });

  it('takes the last will of a boot that it never heard of for an earlier one', () => {
    const bench = new SlotBench();
    bench.online('d1', 'd1-b2');
    bench.offline('d1', 'd1-b1');
    expect(bench.slots.isOnline('d1')).toBe(true);
    bench.offline('d1', 'd1-b2');
    expect(bench.slots.isOnline('d1')).toBe(false);
  });

  it('hears a living agent again half a minute after a late message of its earlier boot was taken for a new one', () => {
    const bench = new SlotBench();
    bench.online('d1', 'd1-b2');
    bench.online('d1', 'd1-b1');
    const isListenedTo = () => {
      bench.online('d1', 'd1-b2');
      // Only the current boot can go offline.
      bench.offline('d1', 'd1-b2');
      return !bench.slots.isOnline('d1');
    };
    bench.wait(29_999);
    expect(isListenedTo()).toBe(false);
    bench.wait(1);
    expect(isListenedTo()).toBe(true);
  });

  it('hears a living agent again at once when the last will of that earlier boot has come', () => {
    const bench = new SlotBench();
    bench.online('d1', 'd1-b2');
    bench.online('d1', 'd1-b1');
    bench.offline('d1', 'd1-b1');
    expect(bench.slots.isOnline('d1')).toBe(false);
    bench.online('d1', 'd1-b2');
    expect(bench.slots.isOnline('d1')).toBe(true);
  });

  it('does not listen to what a replaced boot has ready', () => {
    const bench = new SlotBench();
    bench.online('d1', 'd1-b1');
    bench.online('d1', 'd1-b2');
    bench.submit('r1', 'd1');
    expect(bench.ready('r1', 'd1', 'n1', 'd1-b1')).toEqual([]);
    expect(only(bench.ready('r1', 'd1', 'n2', 'd1-b2'), 'start')).toMatchObject([{ nonce: 'n2' }]);
  });
});
