import { describe, expect, it } from 'vitest';
import { systemClock } from '../../broker/clock.ts';
import { Random } from '../simulation/random.ts';
import { benchOf } from './night.ts';
import { type NightFleet, nightFleet } from './night-fleet.ts';
import { nightLap } from './night-lap.ts';
import { NightLaws } from './night-laws.ts';
import { NightQueue } from './night-queue.ts';
import { NightUse } from './night-use.ts';

const TINY = { devices: 200, servers: 5, organizations: 5 };

/** Without trouble; s0 and s1 in one host group, everybody else alone; d0 and d1 behind one tower. */
const quietFleet = (): NightFleet => {
  const fleet = nightFleet({ devices: 10, servers: 4, organizations: 1 }, new Random(1));
  const [group, tower] = ['h', 'u'];
  return {
    ...fleet,
    troubles: new Uint8Array(10),
    servers: fleet.servers.map((server, index) => ({ ...server, host_group: index < 2 ? group : null })),
    devices: fleet.devices.map((device, index) => ({ ...device, uplink_group: index < 2 ? tower : null })),
    host_groups: new Map([[group, { capacity: 1 }]]),
    uplink_groups: new Map([[tower, { capacity: 1 }]]),
  };
};

describe('a simulated night', () => {
  it('ends each due run once, whatever the seed', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const { ends, grants, slot_use, use_while_waited } = nightLap(TINY, seed, systemClock);
      expect(Object.values(ends).reduce((sum, often) => sum + often, 0)).toBe(TINY.devices);
      expect(grants).toBeGreaterThan(0.9 * TINY.devices);
      expect(slot_use).toBeGreaterThan(0);
      expect(use_while_waited).toBeGreaterThan(0.9);
      expect(use_while_waited).toBeLessThanOrEqual(1);
    }
  });

  it('goes the same way each time', () => {
    const course = () => {
      const { ends, steps, events, makespan_h } = nightLap(TINY, 7, systemClock);
      return { ends, steps, events, makespan_h };
    };
    expect(course()).toEqual(course());
  });

  it('is measured in a process of its own by the bench', async () => {
    const said: string[] = [];
    const bench = benchOf({ fleets: [TINY], small: { ...TINY, servers: 2, organizations: 2 }, laps: 1 });
    const { tables, targets } = await bench.run({
      say: (line) => said.push(line),
      signal: new AbortController().signal,
    });
    expect(said[0]).toBe('200 devices on 5 servers …');
    expect(tables.join('\n')).toContain('Every due run ended once.');
    expect(targets.filter(({ seen }) => seen > 0)).toHaveLength(3);
  });
});

describe('the laws of a night', () => {
  it('refuse a second client on a server', () => {
    const laws = new NightLaws(quietFleet());
    laws.clientStarts(3, 2, 0);
    expect(() => laws.clientStarts(4, 2, 5)).toThrow('two clients on s2: d3 and d4');
  });

  it('refuse a client where a dead session is, and let probes see it', () => {
    const laws = new NightLaws(quietFleet());
    laws.clientStarts(3, 2, 0);
    expect(() => laws.probe(2, 1)).toThrow('s2 is probed while a client runs there');
    laws.clientVanishes(3, 2, 100);
    expect(laws.probe(2, 99)).toBe('busy');
    expect(() => laws.clientStarts(4, 2, 99)).toThrow('d4 starts on s2, where a dead session is');
    expect(laws.probe(2, 100)).toBe('free');
    laws.clientStarts(4, 2, 100);
  });

  it('refuse more clients than a group may have, of servers and of devices', () => {
    const laws = new NightLaws(quietFleet());
    laws.clientStarts(3, 0, 0);
    expect(() => laws.clientStarts(4, 1, 0)).toThrow('more clients than the capacity of the host group of s1');
    const others = new NightLaws(quietFleet());
    others.clientStarts(0, 2, 0);
    expect(() => others.clientStarts(1, 3, 0)).toThrow('more clients than the capacity of the uplink group of d1');
  });

  it('refuse a second end, an end that does not fit, and a run that is due twice', () => {
    const laws = new NightLaws(quietFleet());
    laws.runIsDue(1);
    expect(() => laws.runIsDue(1)).toThrow('d1 is due a second time');
    expect(() => laws.runEnds(1, 'skipped: device-silent')).toThrow('the run of d1 (trouble: none) ends skipped');
    const others = new NightLaws(quietFleet());
    others.runIsDue(1);
    others.runEnds(1, 'released');
    expect(() => others.runEnds(1, 'released')).toThrow('the run of d1 ends, but it is not open: released');
    expect([others.due, others.open]).toEqual([1, 0]);
  });
});

describe('the use of the servers', () => {
  it('counts a server as idle only while a run waits that may use it', () => {
    const use = new NightUse(quietFleet());
    use.runIsDue(3, 1000);
    use.granted(3, 2, 1200);
    expect(use.longest_idle_ms).toBe(200);
    use.released(2, true, 11_200);
    use.runIsDue(4, 20_000);
    use.granted(4, 2, 20_050);
    use.released(2, true, 30_050);
    expect(use.longest_idle_ms).toBe(200);
    expect(use.makespan_ms).toBe(29_050);
    expect(use.slot_use).toBeCloseTo(20_000 / (4 * 29_050));
    // s3 was idle beside s2, both times.
    expect(use.use_while_waited).toBeCloseTo(20_000 / (20_000 + 2 * 250));
  });

  it('does not count a server that rests, nor runs that their device or its tower keeps waiting', () => {
    const fleet = quietFleet();
    fleet.troubles[5] = 1;
    const use = new NightUse(fleet);
    use.runIsDue(3, 0);
    use.granted(3, 2, 0);
    use.runIsDue(0, 100);
    use.runIsDue(5, 100);
    use.released(2, false, 10_000);
    use.runIsDue(4, 20_000);
    use.granted(4, 3, 20_000);
    use.granted(0, 2, 70_000);
    expect(use.longest_idle_ms).toBe(0);
  });
});

describe('the queue of a night', () => {
  it('gives everything back in the order of time', () => {
    const random = new Random(3);
    const queue = new NightQueue();
    const moments = Array.from({ length: 5000 }, () => random.between(0, 1000));
    for (const [who, moment] of moments.entries()) queue.add(moment, who % 7, who, who + 1);
    const seen: number[] = [];
    while (queue.size > 0) {
      const next = queue.next_at;
      const { at, what, who, stamp } = queue.take();
      expect([at, at, what, stamp]).toEqual([next, moments[who], who % 7, who + 1]);
      seen.push(at);
    }
    expect(seen).toEqual(moments.toSorted((a, b) => a - b));
    expect([queue.next_at, queue.taken]).toEqual([Number.POSITIVE_INFINITY, moments.length]);
  });
});
