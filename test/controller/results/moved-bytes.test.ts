import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { movedBytes, plannedBytes } from '../../../controller/results/moved-bytes.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';
import { corpusFiles } from '../../helpers/iperf3-corpus.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';

const textOf = (stdout: string) => corpusOutput('v3.12__tcp_up.json', { stdout });
const report = (parts: object) => textOf(JSON.stringify({ start: {}, intervals: [], end: {}, ...parts }));

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
    expect(movedBytes([corpusOutput(file)])).toBe(bytes);
  });

  it('of a bidirectional test before 3.11, where the sums of one direction hide the others, are those of the streams', () => {
    const stream = (sender: boolean, sent: number, received: number) => ({
      sender: { bytes: sent, sender },
      receiver: { bytes: received, sender },
    });
    const end = { streams: [stream(true, 100, 90), stream(false, 50, 60)], sum_sent: { bytes: 50 } };
    expect(movedBytes([report({ end })])).toBe(160);
  });

  it('are added up over the tests of a run, and nothing can be read from what is no output', () => {
    const outputs = [corpusOutput('v3.12__tcp_up.json'), textOf(''), textOf('iperf3: error'), report({})];
    expect(movedBytes(outputs)).toBe(4_596_695_040);
  });

  it('are a number that a store can keep, whatever a device claims', () => {
    const huge = report({ end: { sum_sent: { bytes: 9e15 } } });
    expect(movedBytes([huge, huge])).toBe(Number.MAX_SAFE_INTEGER);
    expect(movedBytes([report({ end: { sum_sent: { bytes: -5 }, sum_received: { bytes: 1e300 } } })])).toBe(0);
  });

  it.each(corpusFiles)('%s can be read up to any point', (file) => {
    const { stdout } = corpusOutput(file);
    fc.assert(
      fc.property(fc.nat(stdout.length), (length) => {
        const bytes = movedBytes([textOf(stdout.slice(0, length))]);
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
