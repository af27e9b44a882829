import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIperf3Text } from '../../../controller/results/iperf3-documents.ts';
import { addedUp, movedBytes, plannedBytes } from '../../../controller/results/moved-bytes.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';
import { corpusFiles, corpusText } from '../../helpers/iperf3-corpus.ts';

const movedIn = (stdout: string): number | null => {
  const { output } = readIperf3Text(stdout);
  return output === null ? null : movedBytes(output);
};
const report = (parts: object) => JSON.stringify({ start: {}, intervals: [], end: {}, ...parts });

describe('the bytes that a test has moved', () => {
  // Read from the files by hand.
  it.each([
    ['v3.12__tcp_up.json', 4_596_695_040, 'sent and received are the same'],
    ['v3.12__tcp_down.json', 4_955_832_320, 'more was sent than arrived'],
    ['v3.12__tcp_bidir.json', 2_317_352_960 + 2_107_637_760, 'both directions count'],
    ['v3.1.3__udp_up.json', 4_759_552, 'the older sum of UDP'],
    ['v3.12__udp_omit.json', 4_980_736 + 2_523_136, 'omitted seconds are not in the sums'],
    ['v3.12__udp_omit2_down.json', 12_517_376 + 6_258_688, 'of a download as well'],
    ['v3.12__err_serverkilled.json', 7_794_851_840, 'it failed midway: its intervals'],
    ['v3.12__err_busy.json', 0, 'it never began'],
    ['v3.12__err_refused.json', 0, 'it never connected'],
  ])('of %s are %d: %s', (file, bytes) => {
    expect(movedIn(corpusText(file))).toBe(bytes);
  });

  it('of a bidirectional test before 3.11, where the sums of one direction hide the others, are those of the streams', () => {
    const stream = (sender: boolean, sent: number, received: number) => ({
      sender: { bytes: sent, sender },
      receiver: { bytes: received, sender },
    });
    const end = { streams: [stream(true, 100, 90), stream(false, 50, 60)], sum_sent: { bytes: 50 } };
    expect(movedIn(report({ end }))).toBe(160);
  });

  it('are counted also where the intervals are no intervals', () => {
    expect(movedIn(report({}))).toBe(0);
    expect(movedIn(report({ intervals: [null, 7, {}, { sum: null }, { sum: { omitted: true } }] }))).toBe(0);
    const end = { sum_sent: { bytes: 100 } };
    const intervals = [null, 7, { sum: null }, { streams: [{ omitted: true, bytes: 5 }] }];
    expect(movedIn(report({ intervals, end }))).toBe(105);
  });

  it('are a number that a store can keep, whatever a device claims', () => {
    const huge = report({ end: { sum_sent: { bytes: 9e15 } } });
    expect(movedIn(huge)).toBe(9e15);
    expect(addedUp([9e15, 9e15])).toBe(Number.MAX_SAFE_INTEGER);
    expect(movedIn(report({ end: { sum_sent: { bytes: -5 }, sum_received: { bytes: 1e300 } } }))).toBe(0);
  });

  it.each(corpusFiles)('%s can be read up to any point', (file) => {
    const stdout = corpusText(file);
    fc.assert(
      fc.property(fc.nat(stdout.length), (length) => {
        const bytes = movedIn(stdout.slice(0, length)) ?? 0;
        expect(Number.isSafeInteger(bytes) && bytes >= 0).toBe(true);
      }),
      { numRuns: 5 },
    );
  });
});

describe('the bytes that a plan names', () => {
  const ten = { duration_s: 8, omit_s: 2 };

  it.each([
    ['TCP without a bitrate: none', {}, 0],
    ['a bitrate that is still to be measured: none', { bitrate: 'auto' as const, protocol: 'udp' as const }, 0],
    ['the bitrate, omitted seconds included', { bitrate: 8_000_000 }, 10_000_000],
    ['twice that in both directions', { bitrate: 8_000_000, direction: 'bidir' as const }, 20_000_000],
    ['UDP without a bitrate: what iperf3 sends', { protocol: 'udp' as const }, 1_250_000],
    ['in each of its streams', { protocol: 'udp' as const, streams: 4 }, 5_000_000],
  ])('%s', (_, plan, bytes) => {
    expect(plannedBytes([testPlan({ ...ten, ...plan })])).toBe(bytes);
  });

  it('are added up', () => {
    const plan = testPlan({ ...ten, bitrate: 8_000_000 });
    expect(plannedBytes([plan, plan])).toBe(20_000_000);
    expect(plannedBytes([])).toBe(0);
  });
});
