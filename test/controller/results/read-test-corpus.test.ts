import { describe, expect, it } from 'vitest';
import { Failure, type Measurement } from '../../../controller/results/measurement.ts';
import { readTest } from '../../../controller/results/read-test.ts';
import { corpusFiles, corpusOutput } from '../../helpers/iperf3-corpus.ts';
import table from './corpus-expected.json' with { type: 'json' };

/** Taken from the files with Python's json module, its pairs hook for the doubled keys, not with the code under test. */
const expected: Record<string, { version: string; measurements?: unknown[]; class?: string }> = table;

const closeTo = (value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? expect.closeTo(value, 6) : value;

const relaxed = (measurement: object): object =>
  Object.fromEntries(Object.entries(measurement).map(([key, value]) => [key, closeTo(value)]));

const warningsOf = (file: string, measurements: Measurement[]): string[] =>
  measurements.flatMap(({ direction, protocol }) => {
    const old = /^v3\.[179]/.test(file) && !/^v3\.1[2-9]/.test(file);
    if (protocol === 'udp' && (old || file === 'malformed_nan.json'))
      return [`${direction}: throughput is derived: the sender's rate less the packets lost`];
    return old && file.includes('bidir') ? [`${direction}: throughput is the sum over the streams`] : [];
  });

describe('the captured outputs of seven iperf3 versions', () => {
  it('are all in the table', () => {
    expect(Object.keys(expected).sort()).toEqual([...corpusFiles].sort());
  });

  it.each(corpusFiles)('%s is read as the table says', (file) => {
    const reading = readTest(corpusOutput(file), null);
    const wanted = expected[file];
    expect(reading.version).toBe(wanted?.version);
    if (!reading.ok) {
      expect(Failure.parse(reading.failure)).toEqual(reading.failure);
      expect({ class: reading.failure.class }).toEqual({ class: wanted?.class });
      return;
    }
    expect(reading.measurements).toEqual(wanted?.measurements?.map((one) => relaxed(one as object)));
    const nan = file === 'malformed_nan.json' ? ['4 values are not numbers (nan, inf) and were dropped'] : [];
    expect(reading.warnings).toEqual([...nan, ...warningsOf(file, reading.measurements)]);
  });
});
