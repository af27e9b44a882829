import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../broker/clock.ts';
import type { Inbound } from '../../broker/contract/inbound.ts';
import type { AgentEvent, RunResult, TestPlan } from '../../broker/contract/messages.ts';
import { testLimitMs } from '../../broker/contract/numbers.ts';
import { folderOf } from '../../controller/drivers/ssh/remote-scripts.ts';
import { SshDriver, type SshDriverOptions } from '../../controller/drivers/ssh/ssh-driver.ts';
import { RecordedLog } from './recorded-log.ts';
import { until } from './until.ts';

type Of<K extends AgentEvent['type']> = Extract<AgentEvent, { type: K }>;
export type Auth = { username: string; password: string; public_key: string } | null;

/** An upload of one second over TCP, but for the differences. */
export const plan = (differences: Partial<TestPlan> = {}): TestPlan => ({
  test: 'tcp-upload',
  protocol: 'tcp',
  direction: 'upload',
  duration_s: 1,
  omit_s: 0,
  streams: 1,
  bitrate: null,
  length: null,
  window: null,
  congestion: null,
  ...differences,
});

/** What the lease of these tests lasts. */
const leaseMs = (tests: TestPlan[]): number =>
  tests.reduce((sum, test) => sum + testLimitMs(test.duration_s, test.omit_s), 5000);

interface RigOptions {
  clock?: Clock;
  boot?: string;
  context?: { onTestFinished: typeof onTestFinished };
}

/** A driver, what it says, and what the slots would tell it. Stopped after the test. */
export class SshRig {
  readonly messages: Inbound[] = [];
  readonly log = new RecordedLog();
  readonly driver: SshDriver;
  readonly device: string;
  server = { host: '127.0.0.1', port: 1 };
  #lease_ms = 0;

  /** `context` is that of a test that runs beside others. */
  constructor(
    device: string,
    targetOf: SshDriverOptions['targetOf'],
    { clock = systemClock, boot = 'c1', context = { onTestFinished } }: RigOptions = {},
  ) {
    this.device = device;
    this.driver = new SshDriver({
      targetOf,
      onMessage: (message) => this.messages.push(message),
      clock,
      random: () => randomBytes(16).toString('hex'),
      log: this.log,
      boot,
      version: '0.1.0',
    });
    context.onTestFinished(async () => {
      await this.driver.stop();
      rmSync(folderOf(device), { recursive: true, force: true });
    });
  }

  prepare(run: string, tests = [plan()], auth: Auth = null, max_cross_traffic: number | null = null): void {
    this.#lease_ms = leaseMs(tests);
    const order = { run, tests, lease_ms: this.#lease_ms, max_cross_traffic, server: 's' };
    this.driver.prepare({ type: 'prepare', device: this.device, ...order }, { ...this.server, auth });
  }

  /** Answers the last `ready` of a run; without one, with that nonce. */
  start(run: string, token: number, nonce?: string): void {
    const ready = this.events('ready', run).at(-1);
    this.driver.start({
      device: this.device,
      run,
      token,
      nonce: nonce ?? ready?.nonce ?? 'none',
      server: this.server,
      lease_ms: this.#lease_ms,
    });
  }

  events<K extends AgentEvent['type']>(type: K, run: string): Of<K>[] {
    return this.messages.flatMap((message) =>
      message.kind === 'event' && message.payload.run === run && message.payload.type === type
        ? [message.payload as Of<K>]
        : [],
    );
  }

  /** The first event of this type, when it has come. */
  event<K extends AgentEvent['type']>(type: K, run: string, within_s = 15): Promise<Of<K>> {
    return until(`${type} of ${run}`, () => this.events(type, run)[0], within_s).catch((error: Error) => {
      throw new Error(`${error.message}; there are ${JSON.stringify(this.messages).slice(0, 2000)}`);
    });
  }

  /** Prepares a run and starts it. */
  async begin(
    run: string,
    token: number,
    ...how: Parameters<SshRig['prepare']> extends [string, ...infer R] ? R : never
  ) {
    this.prepare(run, ...how);
    await this.event('ready', run);
    this.start(run, token);
    await this.event('started', run);
  }

  result(run: string, within_s = 20): Promise<RunResult> {
    return until(
      `the result of ${run}`,
      () => this.messages.find((message) => message.kind === 'result' && message.payload.run === run),
      within_s,
    ).then((message) => (message as Extract<Inbound, { kind: 'result' }>).payload);
  }
}
