import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DeviceContext, evaluateDevice } from '../../../controller/alerts/device.ts';
import { RuleIndex } from '../../../controller/alerts/rule-index.ts';
import { NO_STATES, type SubjectStates } from '../../../controller/alerts/state.ts';
import type { Change } from '../../../controller/alerts/step.ts';
import type { AlertWrite } from '../../../controller/alerts/write.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import { download, rule, unreached, write } from './rules.ts';

const DEVICE = { device: 'ap-1', organization: 'acme', tags: [], uplink_group: null };

/** Any `N of M`, with 20 as the threshold and 25 as clear; also for failed runs. */
const anyRules = fc
  .record({ of: fc.integer({ min: 1, max: 5 }), part: fc.integer({ min: 0, max: 4 }) })
  .map(({ of, part }): AlertSettings[] => {
    const window = { breaches: 1 + (part % of), of };
    return [
      rule(window),
      rule({ ...window, name: 'failed', metric: 'run.success', condition: { kind: 'below', threshold: 1, clear: 1 } }),
    ];
  });

/** Mbit/s; null: the server could not be reached. */
const anyValues = fc.array(fc.option(fc.constantFrom(1, 19, 20, 22, 24, 25, 90)), { minLength: 1, maxLength: 30 });

const writesOf = (values: readonly (number | null)[]): AlertWrite[] =>
  values.map((mbit, index) => (mbit === null ? unreached(index + 1) : write(index + 1, [download(mbit * 1e6)])));

/** What became of it, and all that was told. */
const play = (rules: AlertSettings[], writes: readonly AlertWrite[]): { states: SubjectStates; changes: Change[] } => {
  const index = new RuleIndex(rules);
  let states = NO_STATES;
  let newest = 0;
  const changes: Change[] = [];
  for (const one of writes) {
    const context: DeviceContext = {
      rulesOf: index.for(DEVICE, one.server),
      ruleOf: (name) => index.get(name),
      isLate: () => newest > (one.token ?? 0),
      token: one.token ?? 0,
      scheduled: true,
      partial: false,
      suspect: null,
      medianOf: () => null,
    };
    const verdict = evaluateDevice(states, one, context);
    newest = Math.max(newest, one.token ?? 0);
    states = verdict.states;
    changes.push(...verdict.changes);
  }
  return { states, changes };
};

test('each alert is told to fire once, then to be resolved once, and the same rule never has two at a time', () => {
  fc.assert(
    fc.property(anyRules, anyValues, (rules, values) => {
      const { changes, states } = play(rules, writesOf(values));
      for (const { name } of rules) {
        const mine = changes.filter((change) => change.rule === name);
        mine.forEach(({ kind, alert }, index) => {
          expect(kind).toBe(index % 2 === 0 ? 'firing' : 'resolved');
          expect(mine.filter((other) => other.alert.id === alert.id)).toHaveLength(
            kind === 'firing' && index === mine.length - 1 ? 1 : 2,
          );
        });
        expect(states.rules[name]?.state === 'firing').toBe(mine.at(-1)?.kind === 'firing');
      }
    }),
  );
});

test('repeated values change nothing, whenever they come again', () => {
  fc.assert(
    fc.property(anyRules, anyValues, fc.array(fc.nat()), (rules, values, repeats) => {
      const writes = writesOf(values);
      const repeated = writes.flatMap((one, index) => {
        const earlier = repeats.map((repeat) => writes[repeat % (index + 1)] ?? one);
        return [one, ...earlier];
      });
      expect(play(rules, repeated)).toEqual(play(rules, writes));
    }),
  );
});

test('late values change nothing, in whichever order they come', () => {
  const lateOnes = fc.uniqueArray(fc.nat({ max: 28 }), { maxLength: 8 });
  fc.assert(
    fc.property(anyRules, anyValues, lateOnes, fc.boolean(), (rules, values, late, backwards) => {
      const writes = writesOf([...values, 22]);
      const inTime = writes.filter((_, index) => !late.includes(index) || index === writes.length - 1);
      const after = late.flatMap((index) => (index < writes.length - 1 ? (writes[index] ?? []) : []));
      const arrived = [...inTime, ...(backwards ? after.toReversed() : after)];
      expect(play(rules, arrived)).toEqual(play(rules, inTime));
    }),
  );
});

test('values between threshold and clear never change what is told', () => {
  fc.assert(
    fc.property(
      anyRules,
      anyValues,
      fc.array(fc.constantFrom(20, 22, 24.9), { maxLength: 20 }),
      (rules, values, between) => {
        const before = writesOf(values);
        const more = writesOf([...values, ...between]).slice(before.length);
        const told = ({ changes }: { changes: Change[] }) => changes.filter((change) => change.rule === 'slow').length;
        expect(told(play(rules, [...before, ...more]))).toBe(told(play(rules, before)));
      },
    ),
  );
});

test('what fires has N bad values among the last M, and the newest of them is bad', () => {
  fc.assert(
    fc.property(anyRules, anyValues, (rules, values) => {
      const writes = writesOf(values);
      const isBad = (mbit: number | null | undefined) => (mbit ?? 0) < 20;
      for (const { rule: name, kind, run } of play(rules, writes).changes) {
        const index = writes.findIndex((one) => one.run === run);
        const [{ breaches = 0, of = 0 } = {}] = rules;
        if (name !== 'slow' || kind !== 'firing') continue;
        expect(isBad(values[index])).toBe(true);
        expect(values.slice(Math.max(0, index + 1 - of), index + 1).filter(isBad).length).toBeGreaterThanOrEqual(
          breaches,
        );
      }
    }),
  );
});

test('what is remembered stays small: the last M values of each rule, and one grant', () => {
  fc.assert(
    fc.property(anyRules, anyValues, (rules, values) => {
      const { states } = play(rules, writesOf(values));
      expect(states.seen.length).toBeLessThanOrEqual(2);
      for (const { recent } of Object.values(states.rules))
        expect(recent.length).toBeLessThanOrEqual(rules[0]?.of ?? 0);
    }),
  );
});
