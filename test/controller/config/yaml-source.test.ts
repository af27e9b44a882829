import { expect, test } from 'vitest';
import { readYaml } from '../../../controller/config/yaml-source.ts';

test('each part of a text has the line of its key or list item, what is not there that of the nearest thing around it', () => {
  const { lineOf } = readYaml('check:\n  enabled: true\n  tests:\n    - one\n    -\n    - { a, b: }\n');
  const lines = [['check'], ['check', 'tests', 1], ['check', 'tests', 2, 'a'], ['check', 'retries'], ['http']].map(
    lineOf,
  );
  expect(lines).toEqual([1, 5, 6, 1, null]);
});

test('what the parser made up has the line of what is around it', () => {
  const { data, lineOf } = readYaml('a: 1\nb: !!pairs\n  -\n');
  expect([Object.keys(Object(data)), lineOf(['b', 0])]).toEqual([['a', 'b'], 2]);
});

test('a text that nests too deep is not looked at: its parts have no lines', () => {
  const { data, readable, problems, lineOf, inFileOrder } = readYaml(`a: 1\nb: ${'['.repeat(100)}`);
  expect({ data, readable, line: lineOf(['a']) }).toEqual({ data: null, readable: false, line: null });
  expect(inFileOrder([], ['b', 'a'])).toEqual(['b', 'a']);
  expect(problems).toMatchObject([{ line: 2, found: 'brackets or indentation without end' }]);
});
