import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIperf3Text } from '../../../controller/results/iperf3-documents.ts';
import { readTest } from '../../../controller/results/read-test.ts';
import { readStrictJson } from '../../../controller/results/strict-json.ts';
import { readTolerantJson } from '../../../controller/results/tolerant-json.ts';
import { anything, damaged, hostile, resultWith } from '../../fuzz/inputs.ts';
import { unsound } from '../../fuzz/soundness.ts';
import { corpusFiles, corpusText } from '../../helpers/iperf3-corpus.ts';

describe('whatever iperf3 prints', () => {
  it.each([
    ['damaged output', damaged, 3000],
    ['arbitrary text', anything, 2000],
    ['text that is meant to take long', hostile(3000), 1000],
  ])('%s never throws, and its numbers are finite and not negative', (_, stdout, numRuns) => {
    fc.assert(
      fc.property(resultWith(stdout), ({ result, plan }) => {
        expect(unsound(readTest(result, plan))).toBeNull();
      }),
      { numRuns },
    );
  });

  it('reads short texts with JSON.parse as the tolerant reader does', () => {
    // Spaces make a text too long for JSON.parse, and are nothing else.
    const inFull = (stdout: string) => stdout.replace('{', `{${' '.repeat(65_536)}`);
    let strictly = 0;
    const comparison = fc.property(resultWith(fc.oneof(damaged, anything)), ({ result, plan }) => {
      if (readStrictJson(result.stdout) === null) return;
      strictly += 1;
      const tolerant = readTest({ ...result, stdout: inFull(result.stdout) }, plan);
      expect(readTest(result, plan)).toEqual(tolerant);
    });
    fc.assert(comparison, { numRuns: 3000 });
    expect(strictly).toBeGreaterThan(100);
    for (const file of corpusFiles) {
      const result = { stdout: corpusText(file), stderr: '', exit_code: 0 };
      expect(readTest(result, null)).toEqual(readTest({ ...result, stdout: inFull(result.stdout) }, null));
    }
  });

  it.each([
    ['a number that is too large', '{"start":{},"intervals":[1e999],"end":{}}', 1],
    ['a string that is too long', `{"start":{"version":"${'x'.repeat(4001)}"},"end":{}}`, 0],
    ['more objects than such a text has', `{"start":{},"intervals":[${'{},'.repeat(4000)}{}],"end":{}}`, 2],
    ['more depth than such a text has', `{"start":{},"end":{"x":${'['.repeat(70)}${']'.repeat(70)}}}`, 2],
    ['no object', '[{"start":{},"end":{}}]', 1],
  ])('looks at a short text closely that has %s', (_, stdout, warnings) => {
    expect(readStrictJson(stdout)).toBeNull();
    expect(readIperf3Text(stdout).warnings).toHaveLength(warnings);
  });

  it('has no prototype to pollute', () => {
    const stdout = '{"__proto__":{"start":{}},"start":{"version":"iperf 3.12","__proto__":{"polluted":1}},"end":{}}';
    expect(readTest({ stdout, stderr: '', exit_code: 0 }, null).version).toBe('3.12');
    expect('polluted' in {}).toBe(false);
  });
});

describe('what is built of a text', () => {
  const KEYS = new Set(['a', 'b']);
  const built = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? Object.values(value).reduce((sum: number, one) => sum + built(one), 1)
      : 0;

  it('is bounded by its length, so that the time is: npm run fuzz measures it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('{}', '{"a":{}},', '[[]],', '"a":[{},{}],', '{"a":1}', '"b":{"a":[1,1,1]},'),
        (piece) => {
          for (const opening of ['', '{"a":[', '{"a":{"b":']) {
            const text = opening + piece.repeat(200_000 / piece.length);
            const { documents, excess } = readTolerantJson(text, KEYS);
            expect(documents.reduce((sum, { value }) => sum + built(value), 0)).toBeLessThan(1024 + text.length / 50);
            expect(excess || documents.length < 2).toBe(true);
          }
        },
      ),
    );
  });

  it('is all of what real iperf3 prints, however much that is, and only what was asked for', () => {
    const stream = `{"a":1.5,"b":2,"socket":5,"start":0,"end":1.00012,"seconds":1.0001,"bytes":131072,"sender":true,"omitted":false}`;
    const text = `{"a":[${Array.from({ length: 5000 }, () => stream).join(',')}]}`;
    const { documents, excess } = readTolerantJson(text, KEYS);
    expect(excess).toBe(false);
    const found = documents[0]?.value['a'];
    expect(found).toHaveLength(5000);
    expect(Array.isArray(found) && found[4999]).toEqual({ a: 1.5, b: 2 });
  });

  it('is told to be incomplete when the text has far more', () => {
    const stdout = `{"start":{"version":"iperf 3.12"},"intervals":[${'{},'.repeat(10_000)}{}]}`;
    expect(readTest({ stdout, stderr: '', exit_code: 0 }, null).warnings).toContain(
      'the JSON is far larger than what iperf3 prints, the rest of it was skipped',
    );
  });

  it('has strings without their escapes, cut at 4000 characters', () => {
    const read = (text: string) => readTolerantJson(`{"a":"${text}"}`, KEYS).documents[0]?.value['a'];
    expect(read('\\u00e4\\n\\/\\x\\"\\ud83d\\ude00')).toBe('ä\n/x"😀');
    expect(read('x'.repeat(5000))).toBe('x'.repeat(4000));
  });

  it.each(['1.#QNAN', '5.9 e+06', '5.9 e 06', '12 345', '5.9  .24', '5-3', '5.9e+06 7'])(
    'has no number where it goes on as none: %s',
    (number) => {
      const { documents, damaged } = readTolerantJson(`{"a":${number},"b":5.924e 06}`, KEYS);
      expect([documents[0]?.value, damaged]).toEqual([{ b: 5_924_000 }, true]);
    },
  );

  it.each([' ', '\n', ' "b"', '\n}', ' ]', ' {'])(
    'has a number before space and what begins something else: %j',
    (end) => {
      expect(readTolerantJson(`{"a":5.9e+06${end}`, KEYS).documents[0]?.value).toEqual({ a: 5_900_000 });
    },
  );
});
