import '../../../agent/hosts/node/builtins.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crossTraffic } from '../../../agent/core/cross-traffic.ts';
import { Bench, prepare } from './bench.ts';

const wan = (bits_per_second: number) => ({ interface: 'eth1', bits_per_second });
const limited = prepare({ max_cross_traffic: 2_000_000 });
const looking = () => new Bench().connect().command(limited);

describe('a run that must not disturb others', () => {
  it.each([
    [null, false],
    [undefined, false],
    [1, true],
    [1e12, true],
  ])('with max_cross_traffic %j looks at the WAN first: %j', (max_cross_traffic, looks) => {
    const bench = new Bench().connect().command(prepare({ max_cross_traffic }));
    expect(bench.of('check')).toMatchObject([{ wan: looks }]);
    expect(bench.said()).toEqual([]);
  });

  it.each([0, -1, 1e12 + 1, 1e21, 1e308, 1.5, '2M', '2000000', true, false, [2], {}])(
    'is refused with a limit that is none: %j',
    (max_cross_traffic) => {
      const bench = new Bench().connect().command(prepare({ max_cross_traffic }));
      expect(bench.reason()).toBe('plan: max_cross_traffic: expected bit/s, a whole number from 1 to 1000000000000');
      expect(bench.of('check')).toEqual([]);
    },
  );

  it('is ready when the WAN is at most as busy as that', () => {
    expect(
      looking()
        .checked({ wan: wan(2_000_000) })
        .said(),
    ).toEqual(['ready']);
  });

  it('is declined when it is busier, and nothing is on deck any more', () => {
    const bench = looking().checked({ wan: wan(12_300_000) });
    expect(bench.events()).toEqual([
      {
        type: 'declined',
        run: 'r-1',
        boot: 'boot-a',
        token: null,
        nonce: null,
        reason: 'cross-traffic: 12.3 Mbit/s on eth1 is over 2 Mbit/s',
      },
    ]);
    expect(bench.pass(5_000).said()).toEqual([]);
    expect(bench.start(7).reason()).toMatch(/^not-prepared/);
  });

  it('is looked at anew when it is prepared again', () => {
    const bench = looking()
      .checked({ wan: wan(2_000_001) })
      .command(limited);
    expect(bench.of('check')).toMatchObject([{ wan: true }]);
    expect(bench.checked({ wan: wan(0) }).said()).toEqual(['ready']);
  });

  it('is ready when nobody can say how busy the WAN is', () => {
    expect(looking().checked({ wan: null }).said()).toEqual(['ready']);
  });

  it('is declined for what is wrong with the device first', () => {
    const busy = { wan: wan(1e9) };
    expect(
      looking()
        .checked({ ...busy, iperf3: null })
        .reason(),
    ).toMatch(/^iperf3-missing/);
    expect(
      looking()
        .checked({ ...busy, resolved: false })
        .reason(),
    ).toMatch(/^unresolved/);
  });
});

describe('while the agent looks at its WAN', () => {
  it('the same prepare is nothing new', () => {
    const bench = looking().pass(1_500).command(limited);
    expect(bench.last.map(({ kind }) => kind)).toEqual(['wake']);
    expect(bench.checked({ wan: wan(0) }).said()).toEqual(['ready']);
  });

  it('the same run with another limit is looked at anew, and not measured by the look before', () => {
    const bench = new Bench().connect().command(prepare()).command(limited);
    expect(bench.of('check')).toMatchObject([{ wan: true }]);
    expect(bench.checked({}, 1).said()).toEqual([]);
    expect(bench.checked({ wan: wan(3e6) }).reason()).toMatch(/^cross-traffic/);
  });

  it('another run replaces it, which is not told twice', () => {
    const bench = looking().command(prepare({ run: 'r-2' }));
    expect(bench.reason()).toBe('superseded: run r-2 was prepared');
    expect(bench.checked({ wan: wan(1e9) }, 1).said()).toEqual([]);
    expect(bench.checked().events()).toMatchObject([{ type: 'ready', run: 'r-2' }]);
  });

  it('a cancelled run is not offered, nor declined', () => {
    const bench = looking().command({ type: 'cancel', run: 'r-1' });
    expect(bench.checked({ wan: wan(1e9) }).said()).toEqual([]);
    expect(
      bench
        .command(limited)
        .checked({ wan: wan(0) }, 1)
        .said(),
    ).toEqual([]);
    expect(bench.checked({ wan: wan(0) }).said()).toEqual(['ready']);
  });

  it('a start is declined', () => {
    const bench = looking().start(7, { nonce: 'n-0' });
    expect(bench.reason()).toMatch(/^nonce-too-old/);
    expect(bench.checked({ wan: wan(0) }).said()).toEqual(['ready']);
  });

  it('the agent may be stopped', () => {
    const bench = looking().give({ kind: 'stop' });
    expect(bench.reason()).toMatch(/^stopping/);
    expect(bench.of('exit')).toHaveLength(1);
    expect(bench.checked({ wan: wan(0) }).last).toEqual([]);
  });
});

describe('the reason', () => {
  it.each([
    [2, 1, '2 bit/s on eth1 is over 1 bit/s'],
    [1_000, 999, '1 kbit/s on eth1 is over 999 bit/s'],
    [500_001, 500_000, '500.1 kbit/s on eth1 is over 500 kbit/s'],
    [2_000_001, 2_000_000, '2.1 Mbit/s on eth1 is over 2 Mbit/s'],
    [12_345_678, 2_560_000, '12.4 Mbit/s on eth1 is over 2.5 Mbit/s'],
    [5_000_000_000_000, 1_000_000_000_000, '5000 Gbit/s on eth1 is over 1000 Gbit/s'],
  ])('for %i bit/s over %i is readable', (rate, limit, text) => {
    expect(crossTraffic(limit, wan(rate))).toBe(`cross-traffic: ${text}`);
  });

  const amount = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 10 ** 12 }));
  const UNITS: Record<string, number> = { 'bit/s': 1, 'kbit/s': 1e3, 'Mbit/s': 1e6, 'Gbit/s': 1e9 };

  it('is given exactly when the traffic is over the limit, and what it shows is over, too, and near', () => {
    fc.assert(
      fc.property(amount, amount, (limit, rate) => {
        const reason = crossTraffic(limit, wan(rate));
        expect(reason !== null).toBe(rate > limit);
        if (reason === null) return;
        const [, a, aUnit = '', b, bUnit = ''] =
          /^cross-traffic: ([0-9.]+) ([kMG]?bit\/s) on eth1 is over ([0-9.]+) ([kMG]?bit\/s)$/.exec(reason) ?? [];
        const [shownRate, shownLimit] = [Number(a) * (UNITS[aUnit] ?? 0), Number(b) * (UNITS[bUnit] ?? 0)];
        expect(shownRate).toBeGreaterThan(shownLimit);
        expect(Math.abs(shownRate - rate)).toBeLessThanOrEqual(rate / 10);
        expect(Math.abs(shownLimit - limit)).toBeLessThanOrEqual(limit / 10);
      }),
      { numRuns: 2_000 },
    );
  });
});
