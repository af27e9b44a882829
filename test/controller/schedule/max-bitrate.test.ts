import { describe, expect, it } from 'vitest';
import type { TestPlan } from '../../../broker/contract/messages.ts';
import { withinBitrate } from '../../../controller/schedule/max-bitrate.ts';
import { testPlan } from '../../helpers/test-plan.ts';

const allowed = (more: Partial<TestPlan>, max: number | null) => withinBitrate([testPlan(more)], max)[0]?.bitrate;

describe("a server's max_bitrate", () => {
  it('changes nothing when there is none', () => {
    const tests = [testPlan({}), testPlan({ bitrate: 5e9 })];
    expect(withinBitrate(tests, null)).toBe(tests);
  });

  it('is what a TCP test without a limit gets', () => {
    expect(allowed({}, 100e6)).toBe(100e6);
  });

  it('cuts what asks for more, and leaves what asks for less', () => {
    expect(allowed({ bitrate: 200e6 }, 100e6)).toBe(100e6);
    expect(allowed({ bitrate: 100e6 }, 100e6)).toBe(100e6);
    expect(allowed({ protocol: 'udp', bitrate: 50e6 }, 100e6)).toBe(50e6);
  });

  it('leaves a share of a TCP figure alone, which was measured within it', () => {
    expect(allowed({ protocol: 'udp', bitrate: 'auto' }, 1e6)).toBe('auto');
  });

  it('counts a UDP test without a bitrate as 1 Mbit/s a stream', () => {
    expect(allowed({ protocol: 'udp', streams: 4 }, 4e6)).toBe(null);
    expect(allowed({ protocol: 'udp', streams: 5 }, 4e6)).toBe(4e6);
  });

  it('changes nothing else of a test', () => {
    const [test] = withinBitrate([testPlan({ streams: 8, length: 1400 })], 10e6);
    expect(test).toEqual(testPlan({ streams: 8, length: 1400, bitrate: 10e6 }));
  });
});
