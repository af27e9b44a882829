import '../../../agent/hosts/node/builtins.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { watchSystem } from '../../../agent/core/system.ts';
import { SystemLoad } from '../../../broker/contract/messages.ts';

const NOTHING = { stat: null, loadavg: null, meminfo: null };

/** Lines of /proc/stat with these columns; what stands around them is of a router. */
const stat = (...cpus: [name: string, ...columns: number[]][]) =>
  [
    ...cpus.map(([name, ...columns]) => `${name === 'cpu' ? 'cpu ' : name} ${columns.join(' ')}`),
    'intr 5 0 7',
    'ctxt 9',
    '',
  ].join('\n');

const cpus = (before: string | null, after: string | null) => {
  const { cpu_percent, cpu_busiest_percent, softirq_percent } = watchSystem({ stat: before, firewall: null })({
    ...NOTHING,
    stat: after,
  });
  return [cpu_percent, cpu_busiest_percent, softirq_percent];
};

describe('the CPUs', () => {
  it('are told together, and the busiest alone with what it did for packets', () => {
    const before = stat(
      ['cpu', 100, 0, 100, 1000, 0, 0, 50, 0, 0, 0],
      ['cpu0', 50, 0, 50, 500, 0, 0, 25, 0, 0, 0],
      ['cpu1', 50, 0, 50, 500, 0, 0, 25, 0, 0, 0],
    );
    const after = stat(
      ['cpu', 120, 10, 130, 1101, 3, 0, 171, 2, 0, 0],
      ['cpu0', 55, 10, 60, 585, 0, 0, 25, 0, 0, 0],
      ['cpu1', 65, 0, 70, 516, 3, 0, 146, 2, 0, 0],
    );
    // Of all 287 ticks 104 were idle; cpu1: 19 of 177, and 121 in softirq.
    expect(cpus(before, after)).toEqual([64, 89, 68]);
  });

  it('are busy also with interrupts and with what the host of a virtual machine took', () => {
    const before = stat(['cpu0', 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(cpus(before, stat(['cpu0', 0, 0, 0, 50, 0, 30, 0, 20]))).toEqual([null, 50, 0]);
  });

  it('count time of guests once: it is in user and nice already', () => {
    const before = stat(['cpu', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(cpus(before, stat(['cpu', 50, 0, 0, 50, 0, 0, 0, 0, 50, 0]))).toEqual([50, null, null]);
  });

  it('may come and go, and counters may go back: what cannot be told is left out', () => {
    const before = stat(['cpu0', 10, 0, 10, 100, 9, 0, 0, 0], ['cpu1', 9, 0, 9, 9, 0, 0, 0, 0], ['cpu3', 5, 0, 0, 5]);
    const after = stat(['cpu0', 20, 0, 20, 100, 1, 0, 0, 0], ['cpu2', 90, 0, 0, 0, 0, 0, 0, 0], ['cpu3', 5, 0, 0, 5]);
    expect(cpus(before, after)).toEqual([null, 100, 0]);
  });

  it('are not known without both texts', () => {
    const text = stat(['cpu', 1, 2, 3, 4], ['cpu0', 1, 2, 3, 4]);
    for (const [before, after] of [
      [null, text],
      [text, null],
      [text, text],
      ['', text],
    ] as const)
      expect(cpus(before, after)).toEqual([null, null, null]);
  });
});

it('load and memory are those of the end, in bytes', () => {
  const texts = {
    ...NOTHING,
    loadavg: '0.08 1.15 1.35 2/85 3270\n',
    meminfo: 'MemTotal:         122000 kB\nMemFree:           60000 kB\nMemAvailable:      71234 kB\n',
  };
  expect(watchSystem({ stat: null, firewall: null })(texts)).toMatchObject({
    load: 0.08,
    memory_available_bytes: 71234 * 1024,
  });
});

describe('flow offloading', () => {
  const offload = (firewall: string | null) => watchSystem({ stat: null, firewall })(NOTHING).offload;

  it.each([
    ["config defaults\n\toption flow_offloading '1'\n\toption flow_offloading_hw '1'\n", true, true],
    ["config defaults\n\toption flow_offloading '1'\n\toption flow_offloading_hw '0'\n", true, false],
    ['option flow_offloading on', true, false],
    ['  option \'flow_offloading\'  "true"  ', true, false],
    ["\toption flow_offloading_hw '1'", false, true],
    ["#\toption flow_offloading '1'", false, false],
    ["\toption flow_offloading '10'", false, false],
    ["\toption no_flow_offloading '1'", false, false],
    ["config defaults\n\toption input 'REJECT'\n", false, false],
    ['', false, false],
  ])('of %j', (text, flow, hardware) => {
    expect(offload(text)).toEqual({ flow, hardware });
  });

  it('is not known when nobody may read it', () => {
    expect(offload(null)).toBeNull();
  });
});

it('whatever the files say, what is told is of the contract', () => {
  const text = fc.option(
    fc.oneof(
      fc.string(),
      fc
        .array(fc.tuple(fc.constantFrom('cpu', 'cpu0', 'cpu1', 'MemAvailable:'), fc.array(fc.nat(), { maxLength: 11 })))
        .map((lines) => lines.map(([name, numbers]) => `${name} ${numbers.join(' ')} kB`).join('\n')),
    ),
  );
  const begin = fc.record({ stat: text, firewall: text });
  const end = fc.record({ stat: text, loadavg: text, meminfo: text });
  fc.assert(
    fc.property(begin, end, (before, after) => {
      const told = watchSystem(before)(after);
      expect(SystemLoad.parse(told)).toEqual(told);
    }),
    { numRuns: 300 },
  );
});
