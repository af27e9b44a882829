import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, found, only, REST_MS, row, SlotBench } from '../../helpers/slot-bench.ts';

const check = { type: 'check', server: 's1' } as const;
const probed = (verdict: 'free' | 'busy' | 'silent') => ({ type: 'probed', server: 's1', verdict }) as const;
const PROBE = { type: 'probe', server: 's1' };
const unprobed = (why: string, client: { device: string; run: string } | null = null) => ({
  type: 'unprobed',
  ...{ server: 's1', why, client },
});

/** d1 is on deck of the idle server, and ready to be started from now on if nothing holds it back. */
const waitingOnDeck = (bench: SlotBench) => {
  bench.online('d1');
  bench.submit('r1', 'd1');
  return bench.ready('r1', 'd1');
};

describe('a server that is checked', () => {
  it('is probed at once when it is idle', () => {
    expect(new SlotBench().do(check)).toEqual([PROBE]);
  });

  it('is given to nobody until the probe is over and it has cleaned up', () => {
    const bench = new SlotBench();
    bench.do(check);
    expect(only(waitingOnDeck(bench), 'start')).toEqual([]);
    bench.wait(20);
    expect(only(bench.do(probed('free')), 'start')).toEqual([]);
    expect(only(bench.wait(499), 'start')).toEqual([]);
    expect(only(bench.wait(1), 'start')).toMatchObject([{ run: 'r1' }]);
  });

  it.each(['busy', 'silent'] as const)('is given to the next run at once after a probe that found it %s', (verdict) => {
    const bench = new SlotBench();
    bench.do(check);
    waitingOnDeck(bench);
    expect(only(bench.do(probed(verdict)), 'start')).toMatchObject([{ run: 'r1' }]);
  });

  it('is given to the next run 5 s later when nobody says what the probe found', () => {
    const bench = new SlotBench();
    bench.do(check);
    bench.wait(2500);
    waitingOnDeck(bench);
    expect(only(bench.wait(2499), 'start')).toEqual([]);
    expect(only(bench.wait(1), 'start')).toMatchObject([{ run: 'r1' }]);
  });

  it('is not probed while a run of ours has it, or may have it', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(bench.do(check)).toEqual([unprobed('in-use', { device: 'd1', run: 'r1' })]);
    const restarted = new SlotBench({ in_charge: false, last_token: 1 });
    restarted.slots.recover([found(row(1, 'r1', 'd1', { granted: false }))], 0);
    expect(restarted.do(check)).toEqual([unprobed('in-use', { device: 'd1', run: 'r1' })]);
  });

  it('is not probed out of charge: another controller may use it', () => {
    expect(new SlotBench({ in_charge: false }).do(check)).toEqual([unprobed('not-in-charge')]);
  });

  it('is not probed a second time while the first probe is out, nor in the moment after it', () => {
    const bench = new SlotBench();
    bench.do(check);
    expect(bench.do(check)).toEqual([unprobed('probed')]);
    bench.do(probed('free'));
    bench.wait(499);
    expect(bench.do(check)).toEqual([unprobed('probed')]);
    bench.wait(1);
    expect(bench.do(check)).toEqual([PROBE]);
  });

  it('cannot be kept from its runs by people who check it again and again', () => {
    const bench = new SlotBench();
    bench.do(check);
    waitingOnDeck(bench);
    bench.do(probed('free'));
    bench.wait(400);
    bench.do(check);
    expect(only(bench.wait(100), 'start')).toMatchObject([{ run: 'r1' }]);
  });

  it('ends its rest half a second later when the check finds it free, and is not probed for its rest meanwhile', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.wait(DEADLINE_MS + 4000);
    expect(bench.do(check)).toEqual([PROBE]);
    expect(only(bench.wait(1000), 'probe')).toEqual([]);
    bench.do(probed('free'));
    expect(bench.states).toEqual(['resting']);
    bench.wait(500);
    expect(bench.states).toEqual(['idle']);
  });

  it('ends its wait when the check finds that nobody else is there any more', () => {
    const bench = new SlotBench();
    bench.do({ type: 'served', server: 's1', busy_elsewhere: true });
    bench.wait(1000);
    expect(bench.do(check)).toEqual([PROBE]);
    bench.do(probed('free'));
    bench.wait(500);
    expect(bench.states).toEqual(['idle']);
  });

  it("is not probed while a stranger's client may be there", () => {
    const bench = new SlotBench();
    bench.do({ type: 'stranger', server: 's1', rest_ms: 30_000 });
    expect(bench.do(check)).toEqual([unprobed('resting')]);
    bench.wait(30_000);
    expect(bench.do(check)).toEqual([PROBE]);
  });

  it('that is not ours is not probed', () => {
    expect(new SlotBench().do({ type: 'check', server: 'gone' })).toEqual([]);
  });
});

describe('an address that is checked while its server is renamed', () => {
  const groups = { host_groups: new Map(), uplink_groups: new Map() };
  const named = (server: string, endpoint = 's1') => ({ server, endpoint, host_group: null, max_bitrate: null });

  it('starts nobody under the new name until the probe is over', () => {
    const bench = new SlotBench();
    bench.do(check);
    bench.slots.configure({ servers: [named('new')], ...groups });
    bench.do({ type: 'tick' });
    bench.online('d1');
    bench.submit('r1', 'd1', { servers: ['new'] });
    expect(only(bench.ready('r1', 'd1'), 'start')).toEqual([]);
    expect(bench.do({ type: 'check', server: 'new' })).toEqual([{ ...unprobed('resting'), server: 'new' }]);
    bench.do(probed('free'));
    expect(only(bench.wait(500), 'start')).toMatchObject([{ server: 'new' }]);
    expect(bench.slots.view().map(({ server }) => server)).toEqual(['new']);
  });

  it('is not probed under the new name while a run of the old one has it', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.slots.configure({ servers: [named('new')], ...groups });
    bench.do({ type: 'tick' });
    const client = { device: 'd1', run: 'r1' };
    expect(bench.do({ type: 'check', server: 'new' })).toEqual([{ ...unprobed('in-use', client), server: 'new' }]);
  });

  it('is probed where the server is now, which says nothing about the address that rests', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.wait(DEADLINE_MS);
    bench.slots.configure({ servers: [named('s1', 'elsewhere')], ...groups });
    expect(only(bench.do(check), 'probe')).toEqual([PROBE]);
    bench.do(probed('free'));
    bench.wait(REST_MS - 1);
    expect(bench.states).toEqual(['resting']);
  });
});

it('a rest that ends while its last probe is out starts nobody before that is over', () => {
  const bench = new SlotBench();
  bench.begin('r1', 'd1');
  bench.wait(DEADLINE_MS + REST_MS - 1000);
  bench.do(probed('busy'));
  bench.wait(0);
  expect(bench.do(check)).toEqual([PROBE]);
  bench.online('d2');
  bench.submit('r2', 'd2');
  bench.ready('r2', 'd2');
  expect(only(bench.wait(1500), 'start')).toEqual([]);
  expect(only(bench.do(probed('silent')), 'start')).toMatchObject([{ run: 'r2' }]);
});
