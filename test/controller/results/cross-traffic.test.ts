import { describe, expect, it } from 'vitest';
import { readTest } from '../../../controller/results/read-test.ts';
import { corpusOutput } from '../../helpers/iperf3-corpus.ts';

const read = (file: string, wan_bytes: number | null, elapsed_ms?: number) => {
  const result = { ...corpusOutput(file), wan_bytes, ...(elapsed_ms === undefined ? {} : { elapsed_ms }) };
  const reading = readTest(result, null);
  return reading.ok ? reading.measurements.map((one) => one.cross_traffic) : null;
};

/** Sent and received in 2 s by v3.12__tcp_up.json. */
const TCP = 4_596_695_040;
/** The most that so many bytes in full segments, and so many that were sent again, take. */
const used = (bytes: number, retransmits: number, segment = 1448) => bytes * (1 + 99 / segment) + retransmits * 1514;
/** In 153 packets by v3.12__udp_up.json. */
const UDP = 5_013_504;

/** The traffic of others in 2 s of v3.12__tcp_up.json, when its text is another. */
const readText = (change: (text: string) => string, wan_bytes: number) => {
  const stdout = change(corpusOutput('v3.12__tcp_up.json').stdout);
  const reading = readTest({ stdout, stderr: '', exit_code: 0, wan_bytes, elapsed_ms: 2_000 }, null);
  return reading.ok && reading.measurements[0]?.cross_traffic;
};

describe('the traffic of others during a test', () => {
  it('is what the WAN has seen beyond the test, its headers and acknowledgements, per second of the test', () => {
    expect(read('v3.12__tcp_up.json', used(TCP, 16) + 64_000 + 1_000_000, 2_000)).toEqual([4_000_000]);
    expect(read('v3.12__udp_up.json', UDP * 1.03 + 153 * 66 + 64_000 + 1_000_000, 4_000)).toEqual([2_000_000]);
  });

  it('is none when the test accounts for all', () => {
    expect(read('v3.12__tcp_up.json', TCP * 1.046, 2_000)).toEqual([0]);
    expect(read('v3.12__tcp_up.json', TCP, 2_000)).toEqual([0]);
  });

  it('is the same for both directions of a bidirectional test', () => {
    const both = 2_317_352_960 + 2_107_637_760;
    expect(read('v3.12__tcp_bidir.json', used(both, 18 + 21) + 64_000 + 250_000, 2_000)).toEqual([
      1_000_000, 1_000_000,
    ]);
  });

  it('does not count omitted seconds, which the test moved as well', () => {
    const moved = 12_517_376 + 6_258_688;
    const [others = -1] = read('v3.12__udp_omit2_down.json', moved * 1.03 + 1_000_000, 3_000) ?? [];
    expect(others).toBeGreaterThan(0);
    expect(others).toBeLessThan((8 * 1_000_000) / 3);
  });

  it('does not count what the test sent again, also in omitted seconds', () => {
    expect(
      readText((text) => text.replaceAll(/"retransmits":\s*16\b/g, '"retransmits": 160000'), used(TCP, 160_000)),
    ).toBe(0);
    const omitted = (text: string) =>
      text.replace(/"retransmits":\s*0/, '"retransmits": 90000').replaceAll('"omitted":\tfalse', '"omitted":\ttrue');
    expect(readText(omitted, used(2 * TCP, 16 + 90_016))).toBe(0);
    expect(readText(omitted, used(2 * TCP, 16 + 90_016) + 64_000 + 1_000_000)).toBe(4_000_000);
  });

  it('is reckoned with a margin when nobody counts what is sent again', () => {
    const uncounted = (text: string) => text.replaceAll('"retransmits"', '"gone"');
    expect(readText(uncounted, used(TCP, 0) + TCP * 0.05 + 64_000 + 1_000_000)).toBe(4_000_000);
  });

  it.each([
    ['1208', 1208],
    ['536', 536],
    ['8948', 1448],
    ['0', 1448],
    ['null', 1448],
  ])('does not count the headers of segments of %s bytes', (mss, segment) => {
    const small = (text: string) => text.replace(/"tcp_mss_default":\s*\d+/, `"tcp_mss_default": ${mss}`);
    expect(readText(small, used(TCP, 16, segment) + 64_000 + 1_000_000)).toBe(4_000_000);
  });

  it('is not known when nobody counted, or for how long', () => {
    expect(read('v3.12__tcp_up.json', null, 2_000)).toEqual([undefined]);
    expect(read('v3.12__tcp_up.json', 2 * TCP)).toEqual([undefined]);
    expect(read('v3.12__tcp_up.json', 2 * TCP, 0)).toEqual([undefined]);
  });

  it('is not known when the interface has seen less than arrived: the test went another way', () => {
    expect(read('v3.12__tcp_up.json', TCP * 0.89, 2_000)).toEqual([undefined]);
    expect(read('v3.12__tcp_up.json', TCP * 0.91, 2_000)).toEqual([0]);
  });

  it('of UDP without a count of packets is reckoned without their headers', () => {
    const { stdout } = corpusOutput('v3.12__udp_up.json');
    const result = { stdout: stdout.replaceAll('"packets"', '"gone"'), stderr: '', exit_code: 0 };
    const reading = readTest({ ...result, wan_bytes: UDP * 1.03 + 64_000 + 500_000, elapsed_ms: 2_000 }, null);
    expect(reading.ok && reading.measurements[0]?.cross_traffic).toBe(2_000_000);
  });
});
