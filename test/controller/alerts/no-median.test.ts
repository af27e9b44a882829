import { expect, it } from 'vitest';
import { History } from '../../../controller/alerts/history.ts';
import { compiled } from '../../../controller/alerts/rule-index.ts';
import { openStore } from '../store/open-store.ts';
import { rule, T0 } from './rules.ts';

it('a rule that is about no drop needs no median', () => {
  const history = new History(openStore().alertHistory);
  expect(history.median(compiled(rule()), 'ap-1', T0)).toBeNull();
});
