import { describe, expect, it } from 'vitest';
import { DEADLINE_MS, LEASE_MS, only, REST_MS, row, SlotBench, TEN_SECONDS } from '../../helpers/slot-bench.ts';

const START = {
  type: 'start',
  device: 'd1',
  run: 'r1',
  token: 1,
  nonce: 'n-r1',
  boot: 'd1-b1',
  server: 's1',
  endpoint: 's1',
  lease_ms: LEASE_MS,
};

describe('a grant', () => {
  it('saves the lease and tells everybody, and then sends the start', () => {
    const lease = row(1, 'r1', 'd1');
    expect(new SlotBench().begin('r1', 'd1')).toEqual([
      { type: 'save-lease', lease: { ...lease, granted: false } },
      {
        type: 'slot',
        server: 's1',
        lease: { device: 'd1', run: 'r1', token: 1, length_ms: DEADLINE_MS, rest_ms: REST_MS },
        state: 'leased',
      },
      START,
      { type: 'granted', lease },
      { type: 'phase', run: 'r1', phase: 'starting', server: 's1' },
    ]);
  });

  it('is for as long as all tests may take, and a deadline beyond that', () => {
    const bench = new SlotBench();
    const tests = [TEN_SECONDS, { ...TEN_SECONDS, test: 'udp-upload', duration_s: 20, omit_s: 2 }];
    const granted = bench.begin('r1', 'd1', { tests });
    // 10 + 10 and 20 + 2 + 10 seconds, and 5 for the retries.
    expect(only(granted, 'start')).toMatchObject([{ lease_ms: 57_000 }]);
    bench.started('r1', 'd1', 1);
    bench.wait(62_999);
    expect(bench.states).toEqual(['leased']);
    bench.wait(1);
    // The longest test, and 40 s.
    bench.wait(61_999);
    expect(bench.states).toEqual(['resting']);
    bench.wait(1);
    expect(bench.states).toEqual(['idle']);
  });

  it('takes a new token for every try', () => {
    const bench = new SlotBench({ last_token: 41 });
    expect(only(bench.begin('r1', 'd1'), 'start')).toMatchObject([{ token: 42 }]);
    bench.declined('r1', 'd1', 42);
    bench.wait(5000);
    expect(only(bench.ready('r1', 'd1'), 'start')).toMatchObject([{ token: 43 }]);
  });
});

describe('the start', () => {
  it('is repeated every second, the same to the byte, until it is answered', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(only(bench.wait(3500), 'start')).toEqual([START, START, START]);
    expect(bench.started('r1', 'd1', 1)).toEqual([{ type: 'phase', run: 'r1', phase: 'running', server: 's1' }]);
    expect(bench.started('r1', 'd1', 1)).toEqual([]);
    expect(bench.wait(20_000)).toEqual([]);
  });

  it('is repeated to a new boot, which alone can say that nothing runs', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.started('r1', 'd1', 1);
    expect(bench.online('d1', 'd1-b2')).toEqual([START]);
    expect(only(bench.wait(1000), 'start')).toEqual([START]);
    const settled = bench.declined('r1', 'd1', 1, 'd1-b2');
    expect(only(settled, 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'interrupted', reason: 'nonce-too-old: late' } },
    ]);
    expect(bench.states).toEqual(['resting']);
    expect(only(bench.wait(REST_MS), 'drop-lease')).toEqual([{ type: 'drop-lease', token: 1 }]);
  });

  it('is not repeated to the boot that has it', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.started('r1', 'd1', 1);
    expect(bench.online('d1')).toEqual([]);
  });
});

describe('a declined start', () => {
  it('frees the slot, and the run is tried again', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(bench.declined('r1', 'd1', 1)).toEqual([
      { type: 'drop-lease', token: 1 },
      { type: 'slot', server: 's1', lease: null, state: 'idle' },
      { type: 'phase', run: 'r1', phase: 'waiting' },
    ]);
    expect(bench.states).toEqual(['idle']);
    expect(only(bench.wait(5000), 'prepare')).toMatchObject([{ run: 'r1' }]);
  });

  it('skips the run after the third time', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.declined('r1', 'd1', 1);
    bench.wait(5000);
    bench.ready('r1', 'd1');
    bench.declined('r1', 'd1', 2);
    bench.wait(10_000);
    bench.ready('r1', 'd1');
    expect(only(bench.declined('r1', 'd1', 3), 'ended')).toEqual([
      { type: 'ended', run: 'r1', ending: { how: 'skipped', reason: 'start-declined' } },
    ]);
  });

  it('interrupts a run that had started', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.started('r1', 'd1', 1);
    expect(only(bench.declined('r1', 'd1', 1), 'ended')).toMatchObject([{ ending: { how: 'interrupted' } }]);
    expect(bench.states).toEqual(['resting']);
  });

  it.each([
    ['of another nonce', 1, 'd1-b1', 'n-other'],
    ['of another token', 7, 'd1-b1', 'n-r1'],
    ['of a boot that is not the current one', 1, 'd1-b9', 'n-r1'],
  ])('%s frees nothing', (_, token, boot, nonce) => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(bench.declined('r1', 'd1', token, boot, nonce)).toEqual([]);
    expect(bench.states).toEqual(['leased']);
  });
});

describe('what does not carry the current token', () => {
  it('frees nothing and starts nothing', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(bench.finished('r1', 'd1', 2)).toEqual([]);
    expect(bench.finished('r1', 'd2', 1)).toEqual([]);
    expect(bench.started('r1', 'd1', 2)).toEqual([]);
    expect(bench.states).toEqual(['leased']);
  });

  it('is not taken for the token of a run on deck, which was never sent', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1');
    expect(bench.finished('r1', 'd1', 2)).toEqual([]);
    expect(bench.slots.view()).toMatchObject([{ on_deck: { run: 'r1' } }]);
  });
});

describe('a finished run', () => {
  it('passes the slot on and is released', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    expect(bench.finished('r1', 'd1', 1)).toEqual([
      { type: 'drop-lease', token: 1 },
      { type: 'slot', server: 's1', lease: null, state: 'idle' },
      { type: 'released', run: 'r1', token: 1 },
    ]);
    expect(bench.finished('r1', 'd1', 1)).toEqual([]);
    expect(bench.slots.wake(bench.now)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a cancel', () => {
  const cancel = { type: 'cancel', run: 'r1', reason: 'enough' } as const;
  const ended = { type: 'ended', run: 'r1', ending: { how: 'cancelled', reason: 'enough' } };

  it('ends a run that waits', () => {
    const bench = new SlotBench();
    bench.submit('r1', 'd1');
    expect(bench.do(cancel)).toEqual([ended]);
    expect(bench.do(cancel)).toEqual([]);
  });

  it('ends a run on deck, and its seat goes to the next one', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    bench.online('d1');
    bench.submit('r1', 'd1');
    bench.ready('r1', 'd1');
    bench.online('d2');
    bench.submit('r2', 'd2');
    const effects = bench.do(cancel);
    expect(effects.slice(0, 3)).toEqual([
      { type: 'cancel', device: 'd1', run: 'r1', reason: 'enough' },
      { type: 'drop-lease', token: 2 },
      ended,
    ]);
    expect(only(effects, 'prepare')).toMatchObject([{ run: 'r2' }]);
  });

  it('stops a run that holds the slot, and asks for it until the agent says that the token is dead', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.started('r1', 'd1', 1);
    const stop = { type: 'cancel', device: 'd1', run: 'r1', reason: 'enough' };
    expect(bench.do(cancel)).toEqual([stop, START, ended]);
    expect(bench.do(cancel)).toEqual([]);
    expect(bench.states).toEqual(['leased']);
    expect(bench.wait(2000)).toEqual([stop, START, stop, START]);
  });

  it('of a run whose agent never answers has one end, and the server rests after the deadline', () => {
    const bench = new SlotBench();
    bench.begin('r1', 'd1');
    bench.do(cancel);
    expect(only(bench.wait(DEADLINE_MS), 'ended')).toEqual([]);
    expect(bench.states).toEqual(['resting']);
  });
});
