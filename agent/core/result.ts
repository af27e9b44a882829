import type { TestOutput } from '../../broker/contract/messages.ts';
import { MAX_PAYLOAD_BYTES } from '../../broker/contract/numbers.ts';
import { each } from './each.ts';
import type { StoredResult } from './io.ts';
import { field, isId, isList, isObject, isToken, isWhole } from './shape.ts';

const CUT_NOTE = '\nperfleet: output cut, it was too long for one message';

/** Room for the ids around the tests. */
const PAYLOAD_MARGIN_BYTES = 1024;

const shorten = (test: TestOutput): void => {
  if (length(test.stdout) >= length(test.stderr)) test.stdout = substr(test.stdout, 0, int(length(test.stdout) / 2));
  else test.stderr = substr(test.stderr, 0, int(length(test.stderr) / 2));
  if (index(test.stderr, CUT_NOTE) < 0) test.stderr = `${test.stderr}${CUT_NOTE}`;
};

/** Halves the longest output again and again until the tests fit one MQTT message together, and says so in that test's stderr. */
export function fitPayload(tests: TestOutput[]): void {
  const sizes = map(tests, (test) => length(sprintf('%J', test)));
  const total = { bytes: 0, largest: 0, size: 0 };
  const measure = (): boolean => {
    total.bytes = 0;
    total.size = 0;
    each(sizes, (size, i) => {
      total.bytes += size;
      if (size <= total.size) return;
      total.largest = i;
      total.size = size;
    });
    return total.bytes <= MAX_PAYLOAD_BYTES - PAYLOAD_MARGIN_BYTES;
  };
  while (!measure()) {
    each(slice(tests, total.largest, total.largest + 1), (test) => {
      shorten(test);
      sizes[total.largest] = length(sprintf('%J', test));
    });
  }
}

const isTime = (value: unknown): boolean =>
  (type(value) === 'int' || type(value) === 'double') && (value as number) >= 0;

const isTestOutput = (value: unknown): value is TestOutput =>
  isId(field(value, 'test')) &&
  (field(value, 'exit_code') == null || isWhole(field(value, 'exit_code'), -65536, 65536)) &&
  type(field(value, 'stdout')) === 'string' &&
  type(field(value, 'stderr')) === 'string' &&
  isTime(field(value, 'started_ms')) &&
  isTime(field(value, 'ended_ms'));

/** A result as an earlier start of the agent stored it, or null when it is not one. */
export const readStored = (value: unknown): StoredResult | null => {
  const run = field(value, 'run');
  const token = field(value, 'token');
  const nonce = field(value, 'nonce');
  const tests = field(value, 'tests');
  if (!isObject(value) || !isId(run) || !isToken(token) || !isId(nonce) || !isList(tests)) return null;
  const good = filter(tests, isTestOutput) as TestOutput[];
  return length(good) === length(tests) ? { run, token, nonce, tests: good } : null;
};
