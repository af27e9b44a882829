import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestPlan } from '../../../broker/contract/messages.ts';
import { Failure, Measurement, type Reading } from '../../../controller/results/measurement.ts';
import { readTest } from '../../../controller/results/read-test.ts';
import { corpusFiles, corpusText } from '../../helpers/iperf3-corpus.ts';

const texts = corpusFiles.map(corpusText);
const junk = [
  'nan',
  '-nan',
  'inf',
  '1e999',
  '-1',
  '0',
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  'null',
  'true',
  '6e8',
  '\n',
];

/** One change: cut, remove, repeat or replace a part, or change a number. Positions are shares of the length. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    kind: fc.constantFrom('remove' as const, 'repeat' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(400),
  }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    text: fc.oneof(fc.constantFrom(...junk), fc.string({ maxLength: 8 })),
  }),
  fc.record({
    kind: fc.constant('number' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    text: fc.oneof(fc.constantFrom(...junk), fc.double().map(String), fc.bigInt().map(String)),
  }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

const mutate = (text: string, change: Mutation): string => {
  const at = Math.floor(change.at * text.length);
  switch (change.kind) {
    case 'cut':
      return text.slice(0, at);
    case 'remove':
      return text.slice(0, at) + text.slice(at + change.length);
    case 'repeat':
      return text.slice(0, at + change.length) + text.slice(at);
    case 'insert':
      return text.slice(0, at) + change.text + text.slice(at);
    case 'number':
      return text.slice(0, at) + text.slice(at).replace(/-?\d[\d.e+]*/, change.text);
  }
};

const plan: fc.Arbitrary<TestPlan | null> = fc.option(
  fc
    .record({
      protocol: fc.constantFrom('tcp', 'udp'),
      direction: fc.constantFrom('upload', 'download', 'bidir'),
      duration_s: fc.constantFrom(1, 2, 10),
    })
    .map((shape) => TestPlan.parse({ test: 'fuzzed', ...shape })),
);

const soundReading = (reading: Reading): void => {
  if (!reading.ok) {
    expect(Failure.safeParse(reading.failure).success).toBe(true);
    expect(reading.failure.retryable).toBe(['busy', 'unreachable', 'link-lost'].includes(reading.failure.class));
    return;
  }
  expect(reading.measurements.length).toBeGreaterThan(0);
  for (const measurement of reading.measurements) {
    expect(Measurement.safeParse(measurement).success).toBe(true);
    for (const value of Object.values(measurement)) {
      if (typeof value === 'number') expect(Number.isFinite(value) && value >= 0, `${value}`).toBe(true);
    }
    expect(measurement.bytes).toBeGreaterThan(0);
    expect(measurement.lost_percent ?? 0).toBeLessThanOrEqual(100);
  }
};

describe('whatever iperf3 prints', () => {
  it('mutated captured output never throws, and its numbers are finite and not negative', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(mutation, { minLength: 1, maxLength: 5 }),
        plan,
        (text, changes, ofTest) =>
          soundReading(readTest({ stdout: changes.reduce(mutate, text), stderr: '', exit_code: 0 }, ofTest)),
      ),
      { numRuns: 3000 },
    );
  });

  it('arbitrary text never throws', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(fc.constantFrom(...junk)).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(anything, anything, fc.option(fc.integer()), plan, (stdout, stderr, exit_code, ofTest) =>
        soundReading(readTest({ stdout, stderr, exit_code, elapsed_ms: 1 }, ofTest)),
      ),
      { numRuns: 2000 },
    );
  });

  it('has no prototype to pollute', () => {
    const stdout = '{"__proto__":{"start":{}},"start":{"version":"iperf 3.12","__proto__":{"polluted":1}},"end":{}}';
    expect(readTest({ stdout, stderr: '', exit_code: 0 }, null).version).toBe('3.12');
    expect('polluted' in {}).toBe(false);
  });
});

describe('the time it takes', () => {
  const MIB = 1 << 20;
  const fill = (part: string): string => part.repeat(Math.ceil(MIB / part.length));
  const wholeTest = (): string => {
    const [head = '', tail = ''] = corpusText('v3.12__tcp_p16_getserver.json').split('"intervals":\t[{');
    const [interval = ''] = tail.split('"end":\t{\n\t\t"streams"');
    const body = `{${interval.slice(0, interval.lastIndexOf('}],'))}},`;
    return `${head}"intervals":\t[${fill(body)}{${tail}`;
  };

  it.each([
    ['a long test', wholeTest()],
    ['a long test without its end', wholeTest().slice(0, MIB)],
    ['braces', fill('{')],
    ['brackets', `{"a":${fill('[')}`],
    ['empty objects', fill('{}')],
    ['nan(', `{"a":[${fill('nan(')}`],
    ['an open string', `{"${fill('\\"')}`],
    ['digits', `{"a":${fill('9')}`],
    ['words', `{${fill('x y ')}`],
    ['lines', fill('\n')],
  ])('is linear for a MiB of %s', (_, stdout) => {
    const time = (): number => {
      const begin = performance.now();
      readTest({ stdout, stderr: stdout, exit_code: 0 }, null);
      return performance.now() - begin;
    };
    // The target is 50 ms per MiB; the bound here leaves room for a busy machine and still fails for anything quadratic.
    expect(Math.min(time(), time(), time())).toBeLessThan((1000 * stdout.length) / MIB);
  });
});
