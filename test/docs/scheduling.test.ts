import { expect, it } from 'vitest';
import { FailureClass } from '../../controller/results/measurement.ts';
import { Outcome } from '../../controller/run-record.ts';
import { codeIn, section } from './markdown.ts';

it('docs/scheduling.md explains every outcome, and every failure class that can name one', () => {
  const rows = section('docs/scheduling.md', 'Outcomes and reasons').rows;
  const outcomes = new Set(rows.flatMap(([first = '']) => codeIn(first)));
  expect([...outcomes].toSorted()).toEqual([...Outcome.options].toSorted());
  const failed = rows.filter(([first]) => first === '`failed`').flatMap(([, reason = '']) => codeIn(reason));
  // A server that stays busy ends as `missed`, `server-busy`.
  expect(failed.toSorted()).toEqual(FailureClass.options.filter((name) => name !== 'busy').toSorted());
});
