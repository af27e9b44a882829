import type { PrepareCommand, StartCommand, TestPlan } from '../../broker/contract/messages.ts';
import { LEASE_SLACK_MS, testLimitMs } from '../../broker/contract/numbers.ts';
import { testPlan } from '../helpers/test-plan.ts';

/** A `prepare` as it is sent. */
export type Prepare = PrepareCommand;
/** A `start` as it is sent. */
export type Start = StartCommand;

/** A TCP upload of 1 s, with what a case needs to be different. */
export const plan = (more: Partial<TestPlan> = {}): TestPlan => testPlan({ duration_s: 1, ...more });

/** L5: how long a run may take. */
export const leaseOf = (tests: readonly TestPlan[]): number =>
  tests.reduce((sum, { duration_s, omit_s }) => sum + testLimitMs(duration_s, omit_s), LEASE_SLACK_MS);

/** A `prepare` of one short test, with what a case needs to be different. */
export const prepareOf = (
  run: string,
  server: { host: string; port: number },
  tests: TestPlan[] = [plan()],
  more: Partial<Prepare> = {},
): Prepare => ({
  type: 'prepare',
  run,
  server: { host: server.host, port: server.port, auth: null },
  tests,
  lease_ms: leaseOf(tests),
  max_cross_traffic: null,
  ...more,
});

/** The `start` of a prepared run. */
export const startOf = (command: Prepare, token: number, nonce: string): Start => ({
  type: 'start',
  run: command.run,
  token,
  nonce,
  server: { host: command.server.host, port: command.server.port },
  lease_ms: command.lease_ms,
});
