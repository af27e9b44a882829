import { expect, it } from 'vitest';
import { Settlement } from '../../../controller/runs/settlement.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { openStore } from '../store/open-store.ts';
import { newRun, T0 } from '../store/samples.ts';

it('a download that gets nothing through beside an upload that does ends as one zero, and the run has failed', () => {
  const store = openStore();
  const checkOf = () => ({ retries: 2, backoff_ms: 600_000 });
  const settlement = new Settlement({ store, influx: true, checkOf, random: () => 0.5, log: new RecordedLog() });
  const test = 'udp-bidir';
  const tests = [testPlan({ test, protocol: 'udp', direction: 'bidir' })];
  store.runs.add([newRun('r-1', { tests, requested_at_ms: T0, window_end_ms: T0 + 3_600_000 })]);
  const whole = corpusOutput('v3.12__udp_bidir.json', { test });
  const silent = whole.stdout.replace(/("sum_received_bidir_reverse":\s*\{[^}]*?"bytes":\s*)\d+/, '$10');
  const attempt = (token: number) => {
    store.runs.noteGrant({ token, run: 'r-1', server: 'milan-1', via: 'agent', at_ms: T0 + 1500, tests });
    const result = { run: 'r-1', token, boot: 'b', tests: [{ ...whole, stdout: silent }] };
    return settlement.result(newRun('r-1').device, result, T0 + 6000).settled;
  };

  expect(attempt(1)).toBe('retry');
  expect(store.records.get('r-1')?.measurements).toMatchObject([{ direction: 'upload', bytes: 5013504 }]);
  expect(attempt(2)).toBe('final');
  const record = store.records.get('r-1');
  expect(record).toMatchObject({ outcome: 'failed', reason: 'link-lost', failures: [{ test, class: 'link-lost' }] });
  expect(record?.measurements.map(({ direction, bytes }) => [direction, bytes]).sort()).toEqual([
    ['download', 0],
    ['upload', 5013504],
    ['upload', 5013504],
  ]);
});
