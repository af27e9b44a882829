import { expect, test } from 'vitest';
import { readIntactJson } from '../../../controller/results/intact-json.ts';
import { readTolerantJson } from '../../../controller/results/tolerant-json.ts';
import { iperf3Corpus } from '../../helpers/iperf3-corpus.ts';

test.each(iperf3Corpus())('$name is read as the tolerant reader would, or left to it', ({ text }) => {
  const intact = readIntactJson(text);
  if (intact !== null) expect(intact).toEqual({ ...readTolerantJson(text), outside: '' });
});

test('nearly all of the corpus is intact', () => {
  const all = iperf3Corpus();
  expect(all.filter(({ text }) => readIntactJson(text) !== null).length).toBeGreaterThan(0.8 * all.length);
});

test.each([
  ['not JSON', '{'],
  ['no object', '[1]'],
  ['nothing', 'null'],
  ['an empty object', '{}'],
  ['an error twice', '{"error": "a", "error": "b"}'],
  ['a number that no double can hold', '{"end": {"bytes": 1e999}}'],
])('%s is left to the tolerant reader', (_what, text) => {
  expect(readIntactJson(text)).toBeNull();
});
