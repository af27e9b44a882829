import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestPlan } from '../../../broker/contract/messages.ts';
import { decideRun, type RunSoFar } from '../../../controller/results/decide-run.ts';
import { FailureClass, type Measurement } from '../../../controller/results/measurement.ts';

const plan = (test: string, more: object = {}): TestPlan => {
  const [protocol, direction] = test.split('-');
  return TestPlan.parse({ test, protocol, direction, duration_s: 10, ...more });
};

const UP = plan('tcp-upload');
const DOWN = plan('tcp-download');
const UDP = plan('udp-upload', { bitrate: 'auto' });

const measured = (test: string, bits_per_second = 1e7): Measurement => {
  const { protocol, direction } = plan(test);
  if (direction === 'bidir') throw new Error('name one direction');
  return { test, protocol, direction, bits_per_second, bytes: 1, seconds: 1 };
};

const failed = (failures: Record<string, FailureClass>) =>
  Object.entries(failures).map(([test, name]) => ({ test, class: name, message: '', retryable: false }));

const HOUR_MS = 3_600_000;
/** An attempt at TCP upload that has just ended, in the middle of a window of two hours, with the longest waits. */
const attempt = (more: Partial<RunSoFar>): RunSoFar => ({
  plans: [UP],
  measurements: [],
  failures: [],
  earlier: {},
  retries: 2,
  backoff_ms: 30_000,
  now_ms: HOUR_MS,
  window_end_ms: 2 * HOUR_MS,
  random: () => 1,
  ...more,
});

const zero = (test: string, direction: 'upload' | 'download') => ({
  test,
  protocol: test.split('-')[0],
  direction,
  bits_per_second: 0,
  bytes: 0,
  seconds: 0,
});

describe('a run with a measurement for every planned test', () => {
  it('is a success', () => {
    expect(decideRun(attempt({ measurements: [measured('tcp-upload')] }))).toEqual({
      verdict: 'final',
      outcome: 'success',
      reason: null,
      zeros: [],
    });
  });
});

describe('a busy server', () => {
  const busy = (more: Partial<RunSoFar>) => decideRun(attempt({ failures: failed({ 'tcp-upload': 'busy' }), ...more }));

  it.each([
    [0, 5_000],
    [1, 10_000],
    [5, 160_000],
    [6, 300_000],
    [5000, 300_000],
  ])('is tried again after %i attempts within %i ms', (attempts, delay_ms) => {
    const earlier = { busy: attempts };
    expect(busy({ earlier })).toEqual({ verdict: 'retry', tests: [UP], delay_ms, reason: 'busy' });
    expect(busy({ earlier, random: () => 0 })).toMatchObject({ delay_ms: delay_ms / 2 });
  });

  it('makes the run missed, without a zero, when the next attempt would begin after the window', () => {
    const missed = { verdict: 'final', outcome: 'missed', reason: 'server-busy', zeros: [] };
    expect(busy({ window_end_ms: HOUR_MS + 5_000 })).toEqual(missed);
    expect(busy({ window_end_ms: HOUR_MS + 5_001 })).toMatchObject({ verdict: 'retry' });
    expect(busy({ window_end_ms: 0 })).toEqual(missed);
  });

  it('is waited for without end where the window has none', () => {
    expect(busy({ window_end_ms: Number.POSITIVE_INFINITY, earlier: { busy: 999 } })).toMatchObject({
      delay_ms: 300_000,
    });
  });
});

describe('an unreachable server', () => {
  const failures = failed({ 'tcp-upload': 'unreachable' });
  const end = { verdict: 'final', outcome: 'failed', reason: 'unreachable', zeros: [zero('tcp-upload', 'upload')] };

  it('is tried again as often as configured, then a zero is due', () => {
    expect(decideRun(attempt({ failures }))).toMatchObject({
      verdict: 'retry',
      delay_ms: 30_000,
      reason: 'unreachable',
    });
    expect(decideRun(attempt({ failures, earlier: { unreachable: 1 } }))).toMatchObject({ delay_ms: 60_000 });
    expect(decideRun(attempt({ failures, earlier: { unreachable: 2 } }))).toEqual(end);
    expect(decideRun(attempt({ failures, retries: 0 }))).toEqual(end);
  });

  it('waits for as long as its check says before the first retry, twice as long before the next, and never longer than an hour', () => {
    const delay = (more: Partial<RunSoFar>) => decideRun(attempt({ failures, window_end_ms: 9 * HOUR_MS, ...more }));
    expect(delay({ backoff_ms: 600_000 })).toMatchObject({ delay_ms: 600_000 });
    expect(delay({ backoff_ms: 600_000, earlier: { unreachable: 1 } })).toMatchObject({ delay_ms: 1_200_000 });
    expect(delay({ backoff_ms: 600_000, retries: 9, earlier: { unreachable: 5 } })).toMatchObject({
      delay_ms: HOUR_MS,
    });
  });

  it('earns its zero at once when the window closes', () => {
    expect(decideRun(attempt({ failures, window_end_ms: HOUR_MS + 1 }))).toEqual(end);
  });

  it('gives two zeros for a bidirectional test and one for each other without a measurement', () => {
    const plans = [UP, plan('tcp-bidir'), UDP];
    const verdict = decideRun(
      attempt({
        plans,
        measurements: [measured('tcp-upload')],
        failures: failed({ 'tcp-bidir': 'unreachable', 'udp-upload': 'unreachable' }),
        retries: 0,
      }),
    );
    expect(verdict).toMatchObject({
      zeros: [zero('tcp-bidir', 'upload'), zero('tcp-bidir', 'download'), zero('udp-upload', 'upload')],
    });
  });
});

describe('a lost link', () => {
  const failures = failed({ 'tcp-upload': 'link-lost' });

  it('waits for as long as its check says', () => {
    expect(decideRun(attempt({ failures, backoff_ms: 90_000 }))).toMatchObject({ delay_ms: 90_000 });
  });

  it('is tried once more, then a zero is due', () => {
    expect(decideRun(attempt({ failures, retries: 0 }))).toMatchObject({
      verdict: 'retry',
      delay_ms: 30_000,
      reason: 'link-lost',
    });
    expect(decideRun(attempt({ failures, earlier: { 'link-lost': 1 } }))).toEqual({
      verdict: 'final',
      outcome: 'failed',
      reason: 'link-lost',
      zeros: [zero('tcp-upload', 'upload')],
    });
  });
});

describe.each(['auth', 'policy', 'local', 'malformed'] as const)('a failure of class %s', (name) => {
  it('ends the run without a retry or a zero', () => {
    expect(decideRun(attempt({ failures: failed({ 'tcp-upload': name }) }))).toEqual({
      verdict: 'final',
      outcome: 'failed',
      reason: name,
      zeros: [],
    });
  });

  it('neither hides a zero that is due nor gets one itself', () => {
    const failures = failed({ 'tcp-upload': name, 'tcp-download': 'unreachable' });
    expect(decideRun(attempt({ plans: [UP, DOWN], failures, retries: 0 }))).toEqual({
      verdict: 'final',
      outcome: 'failed',
      reason: 'unreachable',
      zeros: [zero('tcp-download', 'download')],
    });
  });

  it('is not repeated with the tests that are, and keeps the run from being missed', () => {
    const failures = failed({ 'tcp-upload': name, 'tcp-download': 'busy' });
    expect(decideRun(attempt({ plans: [UP, DOWN], failures }))).toMatchObject({ verdict: 'retry', tests: [DOWN] });
    const later = { plans: [UP, DOWN], failures: failed({ 'tcp-download': 'busy' }), window_end_ms: HOUR_MS };
    expect(decideRun(attempt({ ...later, earlier: { [name]: 1, busy: 1 } }))).toEqual({
      verdict: 'final',
      outcome: 'failed',
      reason: name,
      zeros: [],
    });
  });
});

describe('failures of different classes', () => {
  it('wait for the longest, and even a test whose retries have ended goes along', () => {
    const failures = failed({ 'tcp-upload': 'busy', 'tcp-download': 'unreachable' });
    const both = attempt({ plans: [UP, DOWN], failures });
    expect(decideRun(both)).toMatchObject({ tests: [UP, DOWN], delay_ms: 30_000, reason: 'unreachable' });
    expect(decideRun({ ...both, earlier: { unreachable: 2 } })).toMatchObject({
      tests: [UP, DOWN],
      delay_ms: 5_000,
      reason: 'busy',
    });
  });

  it('give no zero to the test that found the server busy', () => {
    const failures = failed({ 'tcp-upload': 'busy', 'tcp-download': 'link-lost' });
    expect(decideRun(attempt({ plans: [UP, DOWN], failures, window_end_ms: HOUR_MS }))).toMatchObject({
      outcome: 'failed',
      reason: 'link-lost',
      zeros: [zero('tcp-download', 'download')],
    });
  });

  it('and a test without any are a fault of the device', () => {
    expect(decideRun(attempt({}))).toMatchObject({ outcome: 'failed', reason: 'local', zeros: [] });
  });
});

describe('a retry', () => {
  const failures = failed({ 'udp-upload': 'link-lost' });

  it('leaves out what is measured, and puts the TCP figure of the direction into an automatic bitrate', () => {
    const measurements = [
      measured('tcp-upload', 1e6),
      measured('tcp-upload', 33_333_333),
      measured('tcp-download', 5e6),
    ];
    expect(decideRun(attempt({ plans: [UP, DOWN, UDP], measurements, failures }))).toMatchObject({
      tests: [{ ...UDP, bitrate: 26_666_666 }],
    });
  });

  it('takes the slower direction for a bidirectional test, and at least 1 bit/s', () => {
    const both = plan('udp-bidir', { bitrate: 'auto' });
    const of = (up: number, down: number) =>
      decideRun(
        attempt({
          plans: [UP, DOWN, both],
          measurements: [measured('tcp-upload', up), measured('tcp-download', down)],
          failures: failed({ 'udp-bidir': 'link-lost' }),
        }),
      );
    expect(of(1e7, 5e6)).toMatchObject({ tests: [{ bitrate: 4_000_000 }] });
    expect(of(0.1, 5e6)).toMatchObject({ tests: [{ bitrate: 1 }] });
  });

  it('leaves the bitrate open while its TCP test is still to be measured', () => {
    const open = failed({ 'tcp-upload': 'busy', 'udp-upload': 'busy' });
    expect(decideRun(attempt({ plans: [UP, UDP], failures: open }))).toMatchObject({ tests: [UP, UDP] });
  });
});

describe('any run', () => {
  const plans = [UP, DOWN, UDP, plan('udp-bidir')];
  const someTests = fc.subarray(plans.map(({ test }) => test));
  const anyRun = fc.record({
    plans: fc.constant(plans),
    measurements: fc
      .subarray(['tcp-upload', 'tcp-download', 'udp-upload'])
      .map((tests) => tests.map((test) => measured(test))),
    failures: fc
      .tuple(someTests, fc.array(fc.constantFrom(...FailureClass.options), { minLength: 4, maxLength: 4 }))
      .map(([tests, classes]) => failed(Object.fromEntries(tests.map((test, i) => [test, classes[i] ?? 'busy'])))),
    earlier: fc.dictionary(fc.constantFrom(...FailureClass.options), fc.nat(20)),
    retries: fc.nat(5),
    backoff_ms: fc.integer({ min: 1000, max: HOUR_MS }),
    now_ms: fc.nat(2 * HOUR_MS),
    window_end_ms: fc.nat(2 * HOUR_MS),
    random: fc.double({ min: 0, max: 1, noNaN: true }).map((value) => () => value),
  });

  it('retries only inside the window and only what is not measured; zeros only where nothing was reached', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const verdict = decideRun(run);
        const has = (test: string) => run.measurements.some((one) => one.test === test);
        const classOf = (test: string) => run.failures.find((one) => one.test === test)?.class ?? '';
        if (verdict.verdict === 'retry') {
          expect(verdict.tests.length).toBeGreaterThan(0);
          expect(verdict.delay_ms).toBeGreaterThan(0);
          expect(run.now_ms + verdict.delay_ms).toBeLessThan(run.window_end_ms);
          for (const { test } of verdict.tests) {
            expect(has(test)).toBe(false);
            expect(['busy', 'unreachable', 'link-lost']).toContain(classOf(test));
          }
          return;
        }
        expect(verdict.outcome === 'success').toBe(plans.every(({ test }) => has(test)));
        const due = plans.filter(({ test }) => !has(test) && ['unreachable', 'link-lost'].includes(classOf(test)));
        expect([...new Set(verdict.zeros.map(({ test }) => test))]).toEqual(due.map(({ test }) => test));
        if (due.length > 0) expect(verdict.outcome).toBe('failed');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a bidirectional test', () => {
  const BIDIR = plan('udp-bidir');
  const upload: Measurement = { ...measured('udp-upload'), test: 'udp-bidir' };
  const download: Measurement = { ...measured('udp-download'), test: 'udp-bidir' };
  const half = { plans: [BIDIR], measurements: [upload], failures: failed({ 'udp-bidir': 'link-lost' }) };

  it('of which one direction got nothing through is tried again as a whole', () => {
    expect(decideRun(attempt(half))).toMatchObject({ verdict: 'retry', reason: 'link-lost', tests: [BIDIR] });
    expect(decideRun(attempt({ ...half, measurements: [upload, upload, download], failures: [] }))).toMatchObject({
      outcome: 'success',
    });
  });

  it('ends with a zero for that direction alone, and has failed', () => {
    for (const failures of [half.failures, failed({ 'udp-bidir': 'unreachable' })])
      expect(decideRun(attempt({ ...half, failures, earlier: { 'link-lost': 1, unreachable: 2 } }))).toMatchObject({
        verdict: 'final',
        outcome: 'failed',
        reason: failures[0]?.class,
        zeros: [zero('udp-bidir', 'download')],
      });
  });

  it('that was given up after that stays failed while others are tried again', () => {
    const earlier = { 'link-lost': 1, local: 1 };
    const busy = { ...half, plans: [BIDIR, UP], earlier, failures: failed({ 'tcp-upload': 'busy' }) };
    expect(decideRun(attempt(busy))).toMatchObject({ verdict: 'retry', tests: [UP] });
    const measurements = [upload, measured('tcp-upload')];
    expect(decideRun(attempt({ ...busy, measurements, failures: [] }))).toMatchObject({ outcome: 'failed', zeros: [] });
  });

  it('is a success with the one direction that could be read of damaged output', () => {
    expect(decideRun(attempt({ ...half, failures: [] }))).toMatchObject({ outcome: 'success', zeros: [] });
  });
});
