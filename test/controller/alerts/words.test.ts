import { expect, test } from 'vitest';
import { judge, ruleInWords, verdictInWords } from '../../../controller/alerts/judge.ts';
import { medianOf } from '../../../controller/alerts/median.ts';
import { RuleIndex } from '../../../controller/alerts/rule-index.ts';
import { newestOf } from '../../../controller/alerts/state.ts';
import { storedAlert } from '../../../controller/alerts/view.ts';
import { Well } from '../../../controller/alerts/well.ts';
import { figure, figures, inRuns, listed, span } from '../../../controller/alerts/words.ts';
import { BUILT_IN } from '../../../controller/config/built-in-alerts.ts';
import { DAY_MS, rule } from './rules.ts';

test.each([
  ['tcp.download.bits_per_second', 18_240_000, '18.2 Mbit/s'],
  ['tcp.download.bits_per_second', 1_000_000_000, '1 Gbit/s'],
  ['tcp.download.bits_per_second', 512, '512 bit/s'],
  ['tcp.download.bits_per_second', 0, '0 bit/s'],
  ['tcp.download.cross_traffic', 2500, '2.5 kbit/s'],
  ['tcp.download.bytes', 20e12, '20 TB'],
  ['tcp.download.seconds', 10.04, '10 s'],
  ['tcp.download.rtt_ms', 0.5123, '0.512 ms'],
  ['udp.upload.lost_percent', 2.5, '2.5%'],
  ['tcp.upload.retransmits', 12_345, '12345'],
])('%s of %d is %s', (metric, value, words) => {
  expect(figure(metric, value)).toBe(words);
});

test('two values that are compared never look alike', () => {
  expect(figures('tcp.download.bits_per_second', 19_996_000, 20e6)).toEqual(['19.996 Mbit/s', '20 Mbit/s']);
  expect(figures('tcp.download.rtt_ms', 30, 30)).toEqual(['30 ms', '30 ms']);
  expect(figures('tcp.download.rtt_ms', 0.1 + 0.2, 0.3)).toEqual(['0.30000000000000004', '0.3']);
});

test('numbers of runs, times and names read well', () => {
  expect([inRuns(1, 1), inRuns(2, 3)]).toEqual(['', ' in 2 of 3 runs']);
  expect([span(DAY_MS), span(7 * DAY_MS), span(1.5 * DAY_MS)]).toEqual(['1 day', '7 days', '36h']);
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});

test('rules read well', () => {
  const drop = { kind: 'drop', percent: 40, clear: 40, over_ms: DAY_MS } as const;
  expect(ruleInWords(rule({ condition: drop }))).toBe(
    'tcp.download.bits_per_second more than 40% under the median of 1 day in 2 of 3 runs',
  );
  expect(ruleInWords(BUILT_IN.get('server-down') ?? rule())).toBe("a server that 3 devices in a row can't reach");
  expect(ruleInWords(rule({ condition: { kind: 'above', threshold: 5, clear: 5 }, of: 1 }))).toBe(
    'tcp.download.bits_per_second above 5 bit/s',
  );
});

test('a run may fail without a reason, and a rule may be about runs that succeed', () => {
  const failed = { value: 0, verdict: 'breach', median: null, cause: null, count: 2 } as const;
  const success = rule({ metric: 'run.success', condition: { kind: 'below', threshold: 1, clear: 1 } });
  expect(verdictInWords({ ...success, of: 1 }, failed)).toBe('the run failed');
  expect(verdictInWords(success, failed)).toBe('2 of 3 runs failed');
  const unwanted = { ...success, condition: { kind: 'above', threshold: 0, clear: 0 } } as const;
  expect(verdictInWords({ ...unwanted, of: 1 }, { ...failed, value: 1 })).toBe('1 is above 0');
});

test('above, a value between threshold and clear is said to be so', () => {
  const jitter = {
    metric: 'udp.upload.jitter_ms',
    condition: { kind: 'above', threshold: 30, clear: 20 },
    of: 1,
  } as const;
  const between = { value: 25, verdict: 'between', median: null, cause: null, count: 0 } as const;
  expect(verdictInWords(jitter, between)).toBe('25 ms is not above 30 ms, and not yet back at 20 ms');
});

test('a drop without a median, or from nothing, says nothing', () => {
  const drop = rule({ condition: { kind: 'drop', percent: 40, clear: 20, over_ms: DAY_MS } });
  expect(judge(drop, 1, null)).toBe(null);
  expect(judge(drop, 1, 0)).toBe(null);
  expect(judge(drop, 60, 100)).toEqual({ verdict: 'between', median: 100 });
});

test('the median is the middle one, or between the two in the middle, of five values and more', () => {
  expect(medianOf([1, 2, 3, 4])).toBe(null);
  expect(medianOf([9, 1, 8, 2, 3])).toBe(3);
  expect(medianOf([9, 1, 8, 2, 3, 4])).toBe(3.5);
});

test('an alert of a rule that is gone is shown as far as it is known', () => {
  const entry = {
    print: '',
    state: 'pending',
    since_ms: 1,
    reason: 'why',
    recent: [],
    median: null,
    alert: null,
    hold: null,
    retested: false,
  } as const;
  const shown = storedAlert({ kind: 'device', name: 'ap-1' }, 'gone', { ...entry, recent: [] }, null, () => false);
  expect(shown).toMatchObject({ rule: 'gone', severity: null, metric: null, alert: null, firing_since_ms: null });
  const alert = { id: 'a', firing_since_ms: 5, severity: 'info', metric: 'run.success', told: [] } as const;
  const told = storedAlert(
    { kind: 'device', name: 'ap-1' },
    'gone',
    { ...entry, recent: [], alert: { ...alert, told: [] } },
    null,
    () => false,
  );
  expect(told).toMatchObject({ severity: 'info', metric: 'run.success', alert: 'a', firing_since_ms: 5 });
  expect(newestOf([])).toEqual({ value: null, server: null, run: null });
});

test('of what is well only so many are remembered', () => {
  const well = new Well<number>(2);
  for (const [name, known] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    well.set(name, known);
  expect([well.get('a'), well.get('c')]).toEqual([undefined, 3]);
  well.forget('c');
  expect(well.get('c')).toBe(undefined);
});

test('ten thousand kinds of devices and more find their rules', () => {
  const index = new RuleIndex([rule()]);
  const device = { device: 'ap-1', organization: 'acme', uplink_group: null };
  for (let kind = 0; kind <= 10_000; kind++) {
    expect(index.for({ ...device, tags: [`tag-${kind}`] }, null)('tcp.download')).toHaveLength(1);
  }
  expect(index.for({ ...device, tags: [] }, null)('udp.upload')).toEqual([]);
});
