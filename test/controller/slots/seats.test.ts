import { describe, expect, it } from 'vitest';
import { LEASE_MS, only, SlotBench, TEN_SECONDS } from '../../helpers/slot-bench.ts';

const servers = (...names: string[]) =>
  names.map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null }));

describe('a run that waits', () => {
  it('is prepared at once when its device is online and its server idle', () => {
    const bench = new SlotBench();
    bench.online('d1');
    expect(bench.submit('r1', 'd1')).toEqual([
      { type: 'phase', run: 'r1', phase: 'waiting' },
      { type: 'phase', run: 'r1', phase: 'on-deck', server: 's1' },
      {
        type: 'prepare',
        device: 'd1',
        run: 'r1',
        server: 's1',
        tests: [TEN_SECONDS],
        lease_ms: LEASE_MS,
        max_cross_traffic: null,
      },
    ]);
  });

  it('is taken once, however often it is submitted', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.online('d2');
    bench.submit('r0', 'd2');
    bench.submit('r1', 'd1');
    expect(bench.submit('r1', 'd1')).toEqual([]);
    expect(bench.submit('r0', 'd2')).toEqual([]);
    bench.ready('r0', 'd2');
    expect(only(bench.submit('r0', 'd2'), 'phase')).toEqual([]);
    expect(bench.slots.queued('s1')).toBe(0);
  });

  it('is skipped when none of its servers is ours', () => {
    const bench = new SlotBench();
    bench.online('d1');
    expect(bench.submit('r1', 'd1', { servers: ['gone'] })).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'skipped', reason: 'no-server' } },
    ]);
  });

  it('is not prepared before its time', () => {
    const bench = new SlotBench();
    bench.online('d1');
    expect(only(bench.submit('r1', 'd1', { not_before: 7000 }), 'prepare')).toEqual([]);
    expect(bench.slots.wake(0)).toBe(7000);
    expect(only(bench.wait(7000), 'prepare')).toHaveLength(1);
  });

  it('has its turn also when a timer fires a moment early and the time has come before the next one is set', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.submit('r1', 'd1', { not_before: 7000.4 });
    bench.now = 7000.1;
    expect(only(bench.do({ type: 'tick' }), 'prepare')).toEqual([]);
    bench.now = 7000.5;
    expect(bench.slots.wake(bench.now)).toBe(7000.4);
    expect(only(bench.do({ type: 'tick' }), 'prepare')).toHaveLength(1);
  });

  it('is missed when its window closes', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.online('d2');
    bench.online('d3');
    bench.submit('r2', 'd2', { window_end: 5000 });
    bench.submit('r3', 'd3', { window_end: 6000 });
    expect(bench.slots.queued('s1')).toBe(1);
    const on_deck = bench.wait(5000);
    expect(only(on_deck, 'cancel')).toMatchObject([{ device: 'd2', run: 'r2' }]);
    expect(only(on_deck, 'ended')).toEqual([
      { type: 'ended', run: 'r2', ending: { how: 'missed', reason: 'window-closed' } },
    ]);
    bench.offline('d3');
    bench.submit('r4', 'd3', { window_end: 5500 });
    expect(only(bench.wait(1000), 'ended')).toMatchObject([
      { run: 'r4', ending: { how: 'missed' } },
      { run: 'r3', ending: { how: 'missed' } },
    ]);
  });

  it('that a person asked for goes before what the schedule asked for', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    for (const device of ['d2', 'd3', 'd4']) bench.online(device);
    bench.submit('r2', 'd2');
    bench.submit('r3', 'd3');
    bench.submit('r4', 'd4', { on_demand: true });
    bench.ready('r2', 'd2');
    expect(only(bench.finished('r1', 'd1', 1), 'prepare')).toMatchObject([{ run: 'r4' }]);
  });

  it('gives way while its device is busy with another run', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.begin('r1', 'd1');
    bench.submit('r2', 'd1', { servers: ['s2'] });
    bench.online('d2');
    expect(only(bench.submit('r3', 'd2', { servers: ['s2'] }), 'prepare')).toMatchObject([{ run: 'r3' }]);
    expect(only(bench.finished('r1', 'd1', 1), 'prepare')).toEqual([]);
    bench.ready('r3', 'd2');
    expect(only(bench.wait(0), 'prepare')).toEqual([]);
    expect(bench.slots.view()).toMatchObject([
      { state: 'idle' },
      { state: 'leased', on_deck: { run: 'r2', ready: false } },
    ]);
  });
});

describe('of several servers', () => {
  const both = { servers: ['s2', 's1'] };

  it('the preferred idle one is taken first, then any idle one', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.begin('r1', 'd1', both);
    bench.begin('r2', 'd2', both);
    expect(bench.slots.view()).toMatchObject([
      { server: 's1', run: 'r2', device: 'd2' },
      { server: 's2', run: 'r1', device: 'd1' },
    ]);
  });

  it('the one that is free soonest is taken when none is idle', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2', 's3') });
    bench.begin('r3', 'd3', { servers: ['s3'] });
    bench.wait(31_000);
    bench.begin('r1', 'd1', { servers: ['s1'] });
    bench.wait(2000);
    bench.begin('r2', 'd2', { servers: ['s2'] });
    bench.online('d4');
    // s3 rests for 48 s more: its seat is not even open.
    expect(only(bench.submit('r4', 'd4', { servers: ['s3', 's2', 's1'] }), 'prepare')).toMatchObject([
      { server: 's1' },
    ]);
  });

  it('one at the end of its rest is compared by that end', () => {
    const bench = new SlotBench({ servers: servers('s1', 's2') });
    bench.begin('r1', 'd1');
    bench.wait(31_000 + 47_000);
    bench.begin('r2', 'd2', { servers: ['s2'] });
    bench.online('d3');
    expect(only(bench.submit('r3', 'd3', { servers: ['s2', 's1'] }), 'prepare')).toMatchObject([{ server: 's1' }]);
  });
});

describe('a device that was asked to prepare', () => {
  const asked = () => {
    const bench = new SlotBench();
    bench.online('d1');
    const [prepare] = only(bench.submit('r1', 'd1'), 'prepare');
    return { bench, prepare };
  };

  it('is asked again every 2.5 s with the same words, and put aside after 10 s', () => {
    const { bench, prepare } = asked();
    expect(only(bench.wait(9999), 'prepare')).toEqual([prepare, prepare, prepare]);
    const given_up = bench.wait(1);
    expect(only(given_up, 'cancel')).toMatchObject([{ device: 'd1', run: 'r1' }]);
    expect(only(given_up, 'phase')).toEqual([{ type: 'phase', run: 'r1', phase: 'waiting' }]);
  });

  it('is tried again 5 s and then 10 s later, and after three silences the run is skipped', () => {
    const { bench } = asked();
    bench.wait(10_000);
    expect(only(bench.wait(4999), 'prepare')).toEqual([]);
    expect(only(bench.wait(1), 'prepare')).toHaveLength(1);
    bench.wait(10_000);
    expect(only(bench.wait(9999), 'prepare')).toEqual([]);
    expect(only(bench.wait(1), 'prepare')).toHaveLength(1);
    expect(only(bench.wait(10_000), 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'skipped', reason: 'device-silent' } },
    ]);
    expect(bench.slots.wake(bench.now)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is started with the nonce of its last ready', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1');
    expect(only(bench.ready('r1', 'd1', 'n1'), 'save-lease')).toMatchObject([
      { lease: { token: 2, nonce: 'n1', boot: 'd1-b1', granted: false } },
    ]);
    bench.wait(2500);
    bench.ready('r1', 'd1', 'n2');
    const passed_on = bench.finished('r0', 'd0', 1);
    expect(passed_on.map(({ type }) => type).slice(0, 3)).toEqual(['slot', 'start', 'drop-lease']);
    expect(only(passed_on, 'start')).toMatchObject([{ run: 'r1', token: 2, nonce: 'n2' }]);
    expect(only(passed_on, 'granted')).toMatchObject([{ lease: { token: 2, nonce: 'n2', granted: true } }]);
  });

  it('is not started with a nonce that is more than 4 s old: the rest of the 5 s is for the way', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1');
    bench.ready('r1', 'd1', 'n1');
    bench.wait(4001);
    expect(only(bench.finished('r0', 'd0', 1), 'start')).toEqual([]);
    expect(only(bench.ready('r1', 'd1', 'n2'), 'start')).toMatchObject([{ nonce: 'n2' }]);
  });

  it('is asked again when its ready has not been repeated for 7.5 s, and its lease goes from disk with its seat', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1');
    bench.ready('r1', 'd1');
    expect(only(bench.wait(7499), 'prepare')).toEqual([]);
    const asked_again = bench.wait(1);
    expect(only(asked_again, 'drop-lease')).toEqual([]);
    expect(only(asked_again, 'prepare')).toMatchObject([{ run: 'r1' }]);
    const put_aside = bench.wait(10_000);
    expect(only(put_aside, 'cancel')).toMatchObject([{ run: 'r1', reason: 'no answer to prepare' }]);
    expect(only(put_aside, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 2 }]);
  });

  it('ends the run by a refusal, and passes the seat on', () => {
    const { bench } = asked();
    bench.online('d2');
    bench.submit('r2', 'd2');
    const refused = bench.refused('r1', 'd1', 'iperf3-missing: not on PATH');
    expect(only(refused, 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'refused', reason: 'iperf3-missing: not on PATH', server: 's1' } },
    ]);
    expect(only(refused, 'prepare')).toMatchObject([{ run: 'r2' }]);
  });

  it.each(['busy', 'superseded: by r9', 'stopping: goodbye', 'device-unreachable: no route'])(
    'is tried again when it says "%s"',
    (reason) => {
      const { bench } = asked();
      const refused = bench.refused('r1', 'd1', reason);
      expect(only(refused, 'ended')).toEqual([]);
      expect(only(refused, 'phase')).toMatchObject([{ run: 'r1', phase: 'waiting' }]);
      expect(only(bench.wait(5000), 'prepare')).toMatchObject([{ run: 'r1' }]);
    },
  );

  it('is told to forget a run that is not expected', () => {
    const bench = new SlotBench();
    expect(bench.ready('r9', 'd1')).toEqual([{ type: 'cancel', device: 'd1', run: 'r9', reason: 'not expected now' }]);
    expect(bench.refused('r9', 'd1', 'busy')).toEqual([]);
  });

  it('is not told to forget the run that it has just been started with', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(bench.ready('r1', 'd1', 'n2')).toEqual([]);
  });
});

describe('a device that goes away', () => {
  it('loses its seat at once to the next run, and its own run waits again', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.online('d2');
    bench.submit('r1', 'd1');
    bench.submit('r2', 'd2');
    bench.ready('r1', 'd1');
    const gone = bench.offline('d1');
    expect(only(gone, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 2 }]);
    expect(only(gone, 'prepare')).toMatchObject([{ run: 'r2' }]);
    expect(bench.slots.queued('s1')).toBe(1);
    expect(bench.slots.view()).toMatchObject([{ run: 'r0', on_deck: { device: 'd2', run: 'r2', ready: false } }]);
  });

  it('keeps the slot that it holds', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(bench.offline('d1')).toEqual([]);
    expect(bench.states).toEqual(['leased']);
  });

  it('is waited for for a minute, then the run is skipped', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.offline('d1');
    bench.wait(50_000);
    bench.submit('r1', 'd1');
    expect(only(bench.wait(59_999), 'ended')).toEqual([]);
    expect(only(bench.wait(1), 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'skipped', reason: 'device-offline' } },
    ]);
  });

  it('is not waited for when a person asks', () => {
    const bench = new SlotBench();
    bench.wait(15_000);
    expect(only(bench.submit('r1', 'd1', { on_demand: true }), 'ended')).toMatchObject([
      { run: 'r1', ending: { how: 'skipped', reason: 'device-offline' } },
    ]);
  });

  it('gets a moment to connect again after the controller was away, also when a person asks', () => {
    const bench = new SlotBench();
    expect(only(bench.submit('r1', 'd1', { on_demand: true }), 'ended')).toEqual([]);
    expect(only(bench.wait(14_999), 'ended')).toEqual([]);
    expect(only(bench.wait(1), 'ended')).toMatchObject([{ run: 'r1', ending: { reason: 'device-offline' } }]);
  });

  it('loses its seat when it comes back as another boot', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1');
    bench.online('d1', 'd1-b2');
    expect(only(bench.wait(0), 'drop-lease')).toEqual([]);
    bench.ready('r1', 'd1', 'n1', 'd1-b2');
    const back = bench.online('d1', 'd1-b3');
    expect(only(back, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 2 }]);
    expect(only(back, 'prepare')).toMatchObject([{ run: 'r1' }]);
  });

  it('has its run on the deck of a server prepared anew when the ready of the new boot is what is heard first', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1');
    bench.ready('r1', 'd1', 'n1', 'd1-b1');
    const heard = bench.ready('r1', 'd1', 'n2', 'd1-b2');
    expect(only(heard, 'prepare')).toMatchObject([{ run: 'r1' }]);
    expect(only(bench.ready('r1', 'd1', 'n3', 'd1-b2'), 'save-lease')).toMatchObject([
      { lease: { token: 3, nonce: 'n3' } },
    ]);
  });
});

describe('a device on deck that says nothing', () => {
  it('leaves the seat of an idle server to others after 5 s, and after 7 s when it was asked to look at its traffic', () => {
    for (const [max_cross_traffic, patience] of [
      [null, 5000],
      [1_000_000, 7500],
    ] as const) {
      const bench = new SlotBench();
      bench.online('d1');
      bench.online('d2');
      bench.submit('r1', 'd1', { max_cross_traffic });
      bench.submit('r2', 'd2');
      expect(only(bench.wait(patience - 1), 'prepare').map(({ run }) => run)).not.toContain('r2');
      expect(only(bench.wait(1), 'prepare')).toMatchObject([{ run: 'r2' }]);
    }
  });

  it('is replaced when it was ready and has grown stale, and asked again when nobody else is there', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.started('r0', 'd0', 1);
    bench.online('d1');
    bench.submit('r1', 'd1');
    bench.ready('r1', 'd1');
    expect(only(bench.wait(7500), 'prepare')).toMatchObject([{ run: 'r1' }]);
    bench.ready('r1', 'd1', 'n-again');
    bench.online('d2');
    bench.submit('r2', 'd2');
    expect(only(bench.wait(7499), 'prepare')).toEqual([]);
    const effects = bench.wait(1);
    expect(only(effects, 'cancel')).toMatchObject([{ run: 'r1', reason: 'no answer to prepare' }]);
    expect(only(effects, 'prepare')).toMatchObject([{ run: 'r2' }]);
  });
});

it('a device that is ready behind a long run is reminded before it forgets what it has prepared', () => {
  const bench = new SlotBench();
  bench.begin('r0', 'd0', { tests: [{ ...TEN_SECONDS, duration_s: 3000 }] });
  bench.started('r0', 'd0', 1);
  bench.online('d1');
  bench.submit('r1', 'd1');
  const reminded: number[] = [];
  for (let nonce = 0; nonce < 320; nonce += 1) {
    bench.ready('r1', 'd1', `n-${nonce}`);
    if (only(bench.wait(2500), 'prepare').length > 0) reminded.push(bench.now);
  }
  expect(reminded).toEqual([300_000, 600_000]);
});

describe('out of charge', () => {
  it('nothing is prepared or granted, and runs wait on', () => {
    const bench = new SlotBench({ in_charge: false });
    bench.online('d1');
    expect(only(bench.submit('r1', 'd1'), 'prepare')).toEqual([]);
    bench.submit('r2', 'd2', { on_demand: true });
    expect(only(bench.wait(1_000_000), 'ended')).toEqual([]);
    expect(only(bench.do({ type: 'in-charge', yes: true }), 'prepare')).toMatchObject([{ run: 'r1' }]);
  });

  it('decks are cleared, leases kept and asked for, and devices have to be heard again', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.online('d2');
    bench.submit('r2', 'd2');
    bench.ready('r2', 'd2');
    const out = bench.do({ type: 'in-charge', yes: false });
    expect(only(out, 'drop-lease')).toEqual([{ type: 'drop-lease', token: 2 }]);
    expect(bench.slots.view()).toMatchObject([{ state: 'leased', on_deck: null }]);
    expect(bench.slots.isOnline('d2')).toBe(false);
    expect(only(bench.finished('r1', 'd1', 1), 'released')).toHaveLength(1);
    expect(only(bench.do({ type: 'in-charge', yes: true }), 'prepare')).toEqual([]);
    expect(only(bench.online('d2'), 'prepare')).toMatchObject([{ run: 'r2' }]);
  });

  it('a device that is not heard again is waited for for a minute from then', () => {
    const bench = new SlotBench();
    bench.online('d1');
    bench.submit('r1', 'd1', { not_before: 50_000 });
    bench.offline('d1');
    bench.do({ type: 'in-charge', yes: false });
    bench.wait(100_000);
    bench.do({ type: 'in-charge', yes: true });
    bench.do({ type: 'in-charge', yes: true });
    expect(only(bench.wait(59_999), 'ended')).toEqual([]);
    expect(only(bench.wait(1), 'ended')).toMatchObject([{ ending: { how: 'skipped', reason: 'device-offline' } }]);
  });
});
