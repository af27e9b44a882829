import { expect, it } from 'vitest';
import { FIELDS, TAGS } from '../../controller/influx/points.ts';
import { FailureClass } from '../../controller/results/measurement.ts';
import { Outcome, RunRecord } from '../../controller/run-record.ts';
import { codeIn, page, section } from './markdown.ts';

const PAGE = 'docs/results.md';
const firstWords = (rows: string[][]) => rows.map(([first = '']) => codeIn(first)[0]);

it('docs/results.md has the failure classes and the outcomes that there are', () => {
  const words = firstWords(section(PAGE, 'When a test has no measurement').rows);
  expect(words.toSorted()).toEqual([...FailureClass.options, ...Outcome.options].toSorted());
});

it('docs/results.md has the tags and the fields that are written to InfluxDB, with their types', () => {
  const rows = section(PAGE, 'InfluxDB').rows;
  const fields = rows
    .filter(([what = '']) => what.startsWith('fields'))
    .flatMap(([, text = '']) =>
      [...text.matchAll(/`(\w+)` (float|integer|string)/g)].map(([, ...both]) => both.join(' ')),
    );
  const written = Object.values(FIELDS).flatMap(({ floats, integers, strings }) => [
    ...floats.map((field) => `${field} float`),
    ...integers.map((field) => `${field} integer`),
    ...strings.map((field) => `${field} string`),
  ]);
  expect(fields.toSorted()).toEqual(written.toSorted());
  const tags = rows
    .filter(([what]) => what === 'tags')
    .flatMap(([, text = '']) => codeIn(text.replaceAll(/\([^)]*\)/g, '')));
  expect(new Set(tags)).toEqual(new Set(TAGS));
});

it('the run in docs/results.md looks as runs do', () => {
  const runs = page(PAGE).blocks.filter(({ language }) => language === 'json');
  expect(runs).toHaveLength(1);
  for (const { text } of runs) expect(RunRecord.parse(JSON.parse(text))).toEqual(JSON.parse(text));
});
