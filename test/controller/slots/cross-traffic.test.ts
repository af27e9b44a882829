import { describe, expect, it } from 'vitest';
import { only, SlotBench } from '../../helpers/slot-bench.ts';

const BUSY_LINK = 'cross-traffic: 12.3 Mbit/s on eth1 is over 2 Mbit/s';

/** One prepare after the other is declined for cross-traffic; how long each next one took to come, in seconds. */
const waits = (bench: SlotBench, count: number): number[] =>
  Array.from({ length: count }, () => {
    bench.refused('r1', 'd1', BUSY_LINK);
    const since = bench.now;
    while (only(bench.wait(100), 'prepare').length === 0 && bench.now - since < 3_600_000);
    return Math.round((bench.now - since) / 1000);
  });

describe('a device that declines because of other traffic on its link', () => {
  it('gets the limit with its prepare', () => {
    const bench = new SlotBench();
    bench.online('d1');
    expect(only(bench.submit('r1', 'd1', { max_cross_traffic: 2e6 }), 'prepare')).toMatchObject([
      { max_cross_traffic: 2e6 },
    ]);
  });

  it('is asked again after 1 min, and twice as long each time up to 15 min, as long as the window is open', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.submit('r1', 'd1', { window_end: 1e9 });
    expect(waits(bench, 7)).toEqual([60, 120, 240, 480, 900, 900, 900]);
  });

  it('is asked again a quarter earlier or later, by chance', () => {
    const bench = new SlotBench({ random: () => 0.99999 });
    bench.online('d1');
    bench.submit('r1', 'd1');
    expect(waits(bench, 1)).toEqual([75]);
  });

  it('gives its seat to the next one meanwhile', () => {
    const bench = new SlotBench();
    for (const device of ['d1', 'd2']) bench.online(device);
    bench.submit('r1', 'd1');
    bench.submit('r2', 'd2');
    expect(only(bench.refused('r1', 'd1', BUSY_LINK), 'prepare')).toMatchObject([{ run: 'r2' }]);
  });

  it('has its run missed for that when the window is over', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.submit('r1', 'd1', { window_end: 100_000 });
    waits(bench, 1);
    bench.refused('r1', 'd1', BUSY_LINK);
    expect(only(bench.wait(100_000), 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'missed', reason: 'cross-traffic' } },
    ]);
  });

  it('has not used up its setbacks by that', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.submit('r1', 'd1');
    waits(bench, 3);
    for (const ms of [5000, 10_000]) {
      bench.refused('r1', 'd1', 'busy');
      expect(only(bench.wait(ms), 'prepare')).toHaveLength(1);
    }
    expect(only(bench.refused('r1', 'd1', 'busy'), 'ended')).toMatchObject([{ ending: { how: 'skipped' } }]);
  });

  it('answers a person after three more tries, 1 min apart', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.submit('r1', 'd1', { on_demand: true });
    expect(waits(bench, 3)).toEqual([60, 60, 60]);
    expect(only(bench.refused('r1', 'd1', BUSY_LINK), 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'skipped', reason: 'cross-traffic' } },
    ]);
  });
});
