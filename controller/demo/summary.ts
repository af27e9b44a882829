import Table from 'cli-table3';
import type { RunRecord } from '../run-record.ts';

const PLAIN = { head: [], border: [], compact: true };

const mbits = (bits: number | undefined): string => (bits === undefined ? '–' : (bits / 1e6).toFixed(1));
const fixed = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '–';

/** A row per run: what the network did, and how long the device waited for its slot. */
export const table = (runs: readonly RunRecord[]): string => {
  const shown = new Table({
    head: ['device', 'server', 'up Mbit/s', 'down Mbit/s', 'jitter ms', 'loss %', 'retransmits', 'waited s', 'outcome'],
    style: PLAIN,
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const run of runs) {
    const figure = (protocol: 'tcp' | 'udp', direction: 'upload' | 'download') =>
      run.measurements.find((one) => one.protocol === protocol && one.direction === direction);
    const up = figure('tcp', 'upload');
    const udp = figure('udp', 'upload');
    shown.push([
      run.device,
      run.server ?? '–',
      mbits(up?.bits_per_second),
      mbits(figure('tcp', 'download')?.bits_per_second),
      fixed(udp?.jitter_ms, 3),
      fixed(udp?.lost_percent, 2),
      fixed(up?.retransmits, 0),
      fixed(run.queued_s, 1),
      run.reason === null ? run.outcome : `${run.outcome} (${run.reason})`,
    ]);
  }
  return shown.toString();
};

/** One line: how busy the slots were. */
export const slotLine = (report: { slot_use: number; makespan_s: number }, servers: number): string =>
  `The slots of ${servers} servers were ${(report.slot_use * 100).toFixed(1)}% busy for ${report.makespan_s.toFixed(1)} s; ` +
  'no two iperf3 clients ever shared a server.\n' +
  "UDP at 80% of loopback TCP is more than this machine can receive: the loss is its own, not a network's.";
