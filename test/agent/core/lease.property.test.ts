import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Action } from '../../../agent/core/io.ts';
import { Bench, busy, prepare, report, test } from './bench.ts';

const RUNS = ['r-1', 'r-2', 'r-3'];
const LEASE_MS = 30_000;

const step = fc.oneof(
  fc.record({
    do: fc.constant('prepare' as const),
    run: fc.constantFrom(...RUNS),
    tests: fc.integer({ min: 1, max: 3 }),
    max_cross_traffic: fc.constantFrom(null, 1_000),
  }),
  fc.record({
    do: fc.constant('checked' as const),
    /** How many checks ago; the newest is 0. */
    ago: fc.integer({ min: 0, max: 2 }),
    good: fc.boolean(),
    bits_per_second: fc.constantFrom(null, 1_000, 1_001),
  }),
  fc.record({
    do: fc.constant('start' as const),
    run: fc.constantFrom(...RUNS),
    token: fc.integer({ min: 1, max: 6 }),
    /** How many nonces ago; the newest is 0. */
    nonce: fc.integer({ min: 0, max: 4 }),
  }),
  fc.record({
    do: fc.constantFrom('cancel' as const, 'accepted' as const),
    run: fc.constantFrom(...RUNS),
    token: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ do: fc.constant('exit' as const), stdout: fc.constantFrom(report(1e8), busy, '', 'junk') }),
  fc.record({
    do: fc.constant('time' as const),
    ms: fc.constantFrom(1, 99, 1_000, 2_499, 5_000, 5_001, 20_000, 700_000),
    lost: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('connected' as const, 'disconnected' as const) }),
  fc.record({ do: fc.constant('junk' as const), payload: fc.jsonValue() }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Watches the actions like somebody outside: who is alive, by which right, until when. */
class Watcher {
  readonly nonces: { nonce: string; run: string; at: number }[] = [];
  alive: { key: number; token: number; until: number; killed: boolean } | null = null;
  lease: { run: string; token: number; end: number } | null = null;
  armed: number | null = null;
  readonly used = new Set<number>();
  readonly keys = new Set<number>();
  readonly cancelled = new Set<number>();
  /** The newest check, and whether its first answer allows the run. */
  check: { key: number; wan: boolean; passed: boolean | null } | null = null;

  hear(key: number, good: boolean, bits_per_second: number | null): void {
    if (this.check?.key !== key || this.check.passed !== null) return;
    this.check.passed = good && !(this.check.wan && bits_per_second === 1_001);
  }

  see(actions: Action[], now: number, cause: { run: string; token: number; nonce: string } | null): void {
    // iperf3 begins before the words about it are sent, but by no other right.
    const [words, spawns] = [
      actions.filter((one) => one.kind !== 'spawn'),
      actions.filter((one) => one.kind === 'spawn'),
    ];
    for (const action of [...words, ...spawns]) {
      if (action.kind === 'kill' && action.signal === 'KILL' && action.key === this.alive?.key)
        this.alive.killed = true;
      if (action.kind === 'publish' && action.what === 'event') {
        const event = action.payload;
        if (event.type === 'ready') expect(this.check?.passed, 'ready only by its own check').toBe(true);
        if (event.type === 'ready') this.nonces.push({ nonce: event.nonce, run: event.run, at: now });
        if (event.type === 'started' && cause !== null && event.nonce === cause.nonce && !this.used.has(cause.token)) {
          const sent = this.nonces.find(({ nonce }) => nonce === cause.nonce);
          expect(sent?.run, 'a start counts only for the run that its nonce was for').toBe(cause.run);
          expect(now - (sent?.at ?? 0), 'late starts do nothing').toBeLessThanOrEqual(5_000);
          expect(this.alive, 'nothing else is alive').toBeNull();
          this.used.add(cause.token);
          this.nonces.length = 0;
          this.lease = { run: cause.run, token: cause.token, end: now + LEASE_MS };
        }
        if (event.type === 'finished' || (event.type === 'declined' && event.token !== null))
          expect(this.alive?.token, 'what frees the slot is never said while iperf3 is alive').not.toBe(event.token);
      }
      if (action.kind === 'arm') {
        expect(this.armed, 'one guard waits at a time').toBeNull();
        this.armed = action.key;
      }
      if (action.kind === 'disarm') {
        expect(action.key, 'only what waits is ended').toBe(this.armed);
        this.armed = null;
      }
      if (action.kind === 'spawn') {
        expect([null, action.key], 'a guard that waits is the one that runs').toContain(this.armed);
        this.armed = null;
        expect(this.alive, 'one iperf3 at a time').toBeNull();
        expect(this.lease, 'only inside a lease').not.toBeNull();
        expect(action.until_ms).toBeLessThanOrEqual(this.lease?.end ?? 0);
        expect(now).toBeLessThan(action.until_ms);
        expect(this.cancelled.has(this.lease?.token ?? 0), 'never after a cancel').toBe(false);
        expect(this.keys.has(action.key)).toBe(false);
        this.keys.add(action.key);
        this.alive = { key: action.key, token: this.lease?.token ?? 0, until: action.until_ms, killed: false };
      }
      if (action.kind === 'check') this.check = { key: action.key, wan: action.wan, passed: null };
      if (action.kind === 'store_result') this.lease = null;
    }
    if (this.alive !== null && now >= this.alive.until) expect(this.alive.killed, 'dead at its limit').toBe(true);
  }
}

const play = (steps: Step[]) => {
  const bench = new Bench().connect();
  const watcher = new Watcher();
  const told: string[] = [];
  for (const one of steps) {
    let cause: { run: string; token: number; nonce: string } | null = null;
    switch (one.do) {
      case 'prepare':
        bench.command(
          prepare({
            run: one.run,
            tests: Array.from({ length: one.tests }, (_, i) => test({ test: `t${i}` })),
            lease_ms: LEASE_MS,
            max_cross_traffic: one.max_cross_traffic,
          }),
        );
        break;
      case 'checked': {
        const wan = one.bits_per_second === null ? null : { interface: 'eth1', bits_per_second: one.bits_per_second };
        watcher.hear(bench.of('check', bench.all).at(-1 - one.ago)?.key ?? 0, one.good, one.bits_per_second);
        bench.checked({ resolved: one.good, wan }, one.ago);
        break;
      }
      case 'start':
        cause = { run: one.run, token: one.token, nonce: told.at(-1 - one.nonce) ?? 'none' };
        bench.command({ type: 'start', ...cause });
        expect(
          bench.said().some((type) => type === 'started' || type === 'declined'),
          'every start is answered',
        ).toBe(true);
        break;
      case 'cancel':
        if (watcher.lease?.run === one.run) {
          watcher.cancelled.add(watcher.lease.token);
          watcher.lease = null;
        }
        bench.command({ type: 'cancel', run: one.run });
        break;
      case 'accepted':
        bench.command({ type: 'accepted', run: one.run, token: one.token });
        break;
      case 'exit': {
        const key = watcher.alive?.key ?? 0;
        watcher.alive = null;
        bench.give({ kind: 'exited', key, exit_code: 0, stdout: one.stdout, stderr: '' });
        break;
      }
      case 'time':
        if (one.lost) bench.now += one.ms;
        else {
          const end = bench.now + one.ms;
          for (;;) {
            const at = bench.all.findLast((action) => action.kind === 'wake')?.at_ms ?? null;
            if (at === null || at > end) break;
            bench.now = Math.max(bench.now, at);
            bench.give({ kind: 'wake' });
            watcher.see(bench.last, bench.now, null);
            told.push(...watcher.nonces.map(({ nonce }) => nonce).filter((nonce) => !told.includes(nonce)));
          }
          bench.now = end;
        }
        bench.give({ kind: 'wake' });
        break;
      case 'junk':
        bench.command(one.payload);
        break;
      default:
        bench.give({ kind: one.do });
    }
    watcher.see(bench.last, bench.now, cause);
    told.push(...watcher.nonces.map(({ nonce }) => nonce).filter((nonce) => !told.includes(nonce)));
  }
  return watcher;
};

it('at most one iperf3 is alive, inside a lease that a fresh nonce began, whatever is lost, doubled, late or reordered', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => void play(steps)),
    { numRuns: 1_500 },
  );
});

it('the property is about something: starts are accepted and tests spawned', () => {
  const watcher = play([
    { do: 'prepare', run: 'r-1', tests: 2, max_cross_traffic: 1_000 },
    { do: 'checked', ago: 0, good: true, bits_per_second: 1_000 },
    { do: 'start', run: 'r-1', token: 1, nonce: 0 },
    { do: 'exit', stdout: busy },
    { do: 'time', ms: 1_000, lost: false },
  ]);
  expect(watcher.keys.size).toBe(2);
  expect(watcher.alive).not.toBeNull();
});
