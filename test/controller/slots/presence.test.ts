import { describe, expect, it } from 'vitest';
import { found, only, row, SlotBench } from '../../helpers/slot-bench.ts';

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

describe('a device that is reached another way', () => {
  /** It is on deck, reached as its agent's boot; another device waits for the same server. */
  const onDeck = () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1', { on_demand: true });
    return bench;
  };

  it('counts as that at once, to and fro, whatever was replaced a moment ago', () => {
    const bench = new SlotBench();
    bench.online('d1', 'd1-b1');
    for (const boot of ['other', 'd1-b1', 'other', 'd1-b1']) {
      bench.do({ type: 'reached', device: 'd1', boot });
      expect(bench.slots.sightOf('d1')).toEqual({ online: true, boot, engaged: false, leased_as: [] });
    }
  });

  it('was never heard of before, and may be measured', () => {
    const bench = new SlotBench();
    bench.submit('r1', 'd1');
    expect(only(bench.do({ type: 'reached', device: 'd1', boot: 'other' }), 'prepare')).toMatchObject([{ run: 'r1' }]);
  });

  it.each([false, true])(
    'is asked anew over that one, and a run that a person asked for goes on (ready: %s)',
    (ready) => {
      const bench = onDeck();
      if (ready) bench.ready('r1', 'd1');
      const effects = bench.do({ type: 'reached', device: 'd1', boot: 'other' });
      expect(only(effects, 'ended')).toEqual([]);
      expect(only(effects, 'prepare')).toMatchObject([{ device: 'd1', run: 'r1' }]);
      // What was prepared over the first way is not heard any more.
      bench.ready('r1', 'd1', 'n-1', 'd1-b1');
      expect(only(bench.finished('r0', 'd0', 1), 'start')).toEqual([]);
      expect(only(bench.ready('r1', 'd1', 'n-2', 'other'), 'start')).toMatchObject([{ nonce: 'n-2', boot: 'other' }]);
    },
  );

  it('loses nothing when it is said again', () => {
    const bench = onDeck();
    bench.do({ type: 'reached', device: 'd1', boot: 'd1-b1' });
    bench.ready('r1', 'd1');
    expect(only(bench.finished('r0', 'd0', 1), 'start')).toMatchObject([{ run: 'r1' }]);
  });
});

describe('how a device is known', () => {
  it('names the boots of the leases that it has, or may have after a restart', () => {
    const bench = new SlotBench({ last_token: 9 });
    const leases = [
      row(3, 'r1', 'd1', { boot: 'old-1' }),
      row(5, 'r2', 'd1', { boot: 'old-2', granted: false }),
      row(6, 'r3', 'd1', { boot: 'old-3', granted: false }),
      row(7, 'r4', 'd2', { granted: false }),
    ];
    bench.slots.recover(
      leases.map((lease) => found(lease)),
      bench.now,
    );
    expect(bench.slots.sightOf('d1')).toEqual({
      online: false,
      boot: null,
      engaged: true,
      leased_as: ['old-1', 'old-2', 'old-3'],
    });
    expect(bench.slots.sightOf('d2')?.leased_as).toEqual(['d2-b1']);
    expect(bench.slots.sightOf('d9')).toBe(null);
  });

  it('does not take what is on deck for a lease', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1');
    bench.ready('r1', 'd1');
    expect(bench.slots.sightOf('d1')).toEqual({ online: true, boot: 'd1-b1', engaged: true, leased_as: [] });
    expect(bench.slots.sightOf('d0')?.leased_as).toEqual(['d0-b1']);
  });
});
