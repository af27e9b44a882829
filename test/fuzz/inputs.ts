import fc from 'fast-check';
import { TestPlan } from '../../broker/contract/messages.ts';
import type { Iperf3Result } from '../../controller/results/read-test.ts';
import { corpusFiles, corpusText } from '../helpers/iperf3-corpus.ts';

/** One thing that a device might send, and the plan that it is read with. */
export interface FuzzInput {
  result: Iperf3Result;
  plan: TestPlan | null;
}

const NUMBERS = ['nan', '-nan', 'inf', '1e999', '-1', '0', '6e8', '5.924e 06', '1.#QNAN', '18446744073709551616'];
const PUNCTUATION = ['{', '}', '[', ']', '"', ',', ':', '\\', '\n', '\t'];
const WORDS = ['null', 'true', '"error":"x",', '"end":{}', 'warning: odd\n', 'iperf3: error - unable to'];
const JUNK = [...NUMBERS, ...PUNCTUATION, ...WORDS];

const share = fc.double({ min: 0, max: 1, noNaN: true });

/** One change: cut, remove, repeat or insert a part, print it twice, or change a number. Positions are shares of the length. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constantFrom('cut' as const, 'twice' as const), at: share }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'repeat' as const), at: share, length: fc.nat(400) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: share,
    text: fc.oneof(fc.constantFrom(...JUNK), fc.string({ maxLength: 8 })),
  }),
  fc.record({
    kind: fc.constant('number' as const),
    at: share,
    text: fc.oneof(fc.constantFrom(...JUNK), fc.double().map(String), fc.bigInt().map(String)),
  }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

const mutate = (text: string, change: Mutation): string => {
  const at = Math.floor(change.at * text.length);
  switch (change.kind) {
    case 'cut':
      return text.slice(0, at);
    case 'twice':
      return text + text.slice(0, at);
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

/** Real output of real iperf3 versions, damaged in up to five places. */
export const damaged: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...corpusFiles.map(corpusText)), fc.array(mutation, { minLength: 1, maxLength: 5 }))
  .map(([text, changes]) => changes.reduce(mutate, text));

/** Text that is nothing in particular. */
export const anything: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.json(),
  fc.array(fc.constantFrom(...JUNK)).map((parts) => parts.join('')),
);

const KEYS = ['start', 'end', 'intervals', 'streams', 'sender', 'udp', 'sum', 'bytes', 'error', 'event', 'data', 'k#'];
const VALUES = ['{}', '[]', '1', '1.5e3', 'nan', '"x"', '"\\u0041\\n"', '"interval"', '"error"', 'true', '{"bytes":1}'];
const PIECES = [
  ...KEYS.map((key) => `"${key}":`),
  ...VALUES.map((value) => `${value},`),
  '},',
  '],',
  '{"start":{},',
  ...JUNK,
];
const OPENINGS = [
  '',
  '{',
  '{"start":{"connected":[',
  '{"start":{},"intervals":[',
  '{"start":{},"intervals":[{"streams":[',
  '{"start":{},"end":{"streams":[',
  '{"start":{},"error":"',
];

/** A download that is cut off after many intervals, each of which counts: there is no shorter way to make all of them be read. */
const CUT_OFF_DOWNLOAD = {
  opening: '{"start":{"test_start":{"protocol":"TCP","reverse":1}},"intervals":[',
  piece: '{"streams":[{"bytes":1,"seconds":1}]},',
};

const repeated: fc.Arbitrary<typeof CUT_OFF_DOWNLOAD> = fc.record({
  opening: fc.constantFrom(...OPENINGS),
  piece: fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
});

/** A few pieces repeated up to a size: what is meant to take long, such as a million brackets, objects, keys or documents. A # is a counter. */
export const hostile = (size: number): fc.Arbitrary<string> =>
  fc
    .oneof({ weight: 15, arbitrary: repeated }, { weight: 1, arbitrary: fc.constant(CUT_OFF_DOWNLOAD) })
    .map(({ opening, piece }) => {
      const times = Math.ceil((size - opening.length) / piece.length);
      if (!piece.includes('#')) return opening + piece.repeat(times);
      return opening + Array.from({ length: times }, (_, index) => piece.replaceAll('#', String(index))).join('');
    });

const plan: fc.Arbitrary<TestPlan | null> = fc.option(
  fc
    .record({
      protocol: fc.constantFrom('tcp', 'udp'),
      direction: fc.constantFrom('upload', 'download', 'bidir'),
      duration_s: fc.constantFrom(1, 2, 10),
    })
    .map((shape) => TestPlan.parse({ test: 'fuzzed', ...shape })),
  { freq: 1 },
);

/** A result with this stdout; the rest is of all kinds. */
export const resultWith = (stdout: fc.Arbitrary<string>): fc.Arbitrary<FuzzInput> =>
  fc.record({
    plan,
    result: fc.record({
      stdout,
      stderr: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, anything),
      exit_code: fc.option(fc.integer()),
      elapsed_ms: fc.constantFrom(0, 1, 2_000, 60_000),
      wan_bytes: fc.option(fc.nat()),
    }),
  });
