import type { TestOutput } from '../../../broker/contract/messages.ts';
import { Alerts } from '../../../controller/alerts/alerts.ts';
import type { AlertOutcome } from '../../../controller/alerts/write.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import { Settlement } from '../../../controller/runs/settlement.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { AlertFixture } from './alert-fixture.ts';
import { DAY_MS, T0 } from './rules.ts';

export const TESTS = [testPlan({ test: 'tcp-download', direction: 'download' })];

/** iperf3's own output of a download; of one that could not reach its server. */
export const DOWNLOAD = corpusOutput('v3.12__tcp_down.json', { test: 'tcp-download', started_ms: 5, ended_ms: 10_000 });
export const REFUSED = corpusOutput('v3.12__err_refused.json', { test: 'tcp-download', started_ms: 5, ended_ms: 10 });

/** Rules, a real store, and the settlement that writes into it: a run a day. */
export class SettledFixture extends AlertFixture {
  settlement: Settlement;
  readonly #retries: number;
  readonly outcomes: AlertOutcome[] = [];

  constructor(alerts: AlertSettings[], retries = 0) {
    super(alerts);
    this.#retries = retries;
    this.settlement = this.#settlementOf(this.alerts);
  }

  /** What was only in memory is forgotten. */
  restart(): void {
    this.settlement = this.#settlementOf(new Alerts({ settings: () => this.settings, store: this.store }));
  }

  #settlementOf(alerts: Alerts): Settlement {
    return new Settlement({
      store: this.store,
      influx: false,
      checkOf: () => ({ retries: this.#retries, backoff_ms: 1000 }),
      random: () => 0.5,
      log: new RecordedLog(),
      alerts,
      onAlerts: (outcome) => this.outcomes.push(outcome),
    });
  }

  /** A run that waits; the day is its number. */
  order(day: number, device = 'ap-1'): string {
    const run = `r-${day}-${device}`;
    const at_ms = T0 + day * DAY_MS;
    const times = { requested_at_ms: at_ms, not_before_ms: at_ms, window_end_ms: at_ms + 3_600_000 };
    const origin = { server: null, origin: 'demand', night: null } as const;
    this.store.runs.add([{ run, device, organization: 'organization-0', ...origin, ...times, tests: TESTS }]);
    return run;
  }

  grant(day: number, token: number, device = 'ap-1', server = 'server-0'): void {
    const at_ms = T0 + day * DAY_MS;
    const run = `r-${day}-${device}`;
    this.store.runs.noteGrant({ token, run, server, via: 'agent', at_ms, tests: TESTS });
    this.store.moved.note({ token, run, device, at_ms, bytes: 1 });
  }

  result(day: number, token: number, output: TestOutput, device = 'ap-1') {
    const at_ms = T0 + day * DAY_MS + 20_000;
    const result = { run: `r-${day}-${device}`, token, boot: 'b', tests: [output] };
    return this.settlement.result(device, result, at_ms);
  }

  /** A whole run. */
  run(day: number, output: TestOutput, device = 'ap-1'): void {
    this.order(day, device);
    this.grant(day, day * 10 + Number(device.slice(3)), device);
    this.result(day, day * 10 + Number(device.slice(3)), output, device);
  }
}

/** The corpus' download with another throughput, in Mbit/s. */
export const downloadOf = (mbit: number): TestOutput => ({
  ...DOWNLOAD,
  stdout: DOWNLOAD.stdout.replace(
    /("sum_received":\s*{[^}]*"seconds":\s*)([\d.]+)(,\s*"bytes":\s*)\d+(,\s*"bits_per_second":\s*)[\d.e+]+/s,
    (_, before, seconds, bytes, rate) =>
      `${before}${seconds}${bytes}${Math.round(mbit * 125_000 * seconds)}${rate}${mbit * 1e6}`,
  ),
});
