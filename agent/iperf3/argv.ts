import type { TestPlan } from '../../broker/contract/messages.ts';
import { atLeast, BIDIR_MINOR, TIMEOUT_AND_AUTH_MINOR } from './version.ts';

/** Where a test goes. `key_path` is the file with the server's public key, `username` null without authentication. */
export interface Target {
  host: string;
  port: number;
  username: string | null;
  key_path: string | null;
}

/** iperf3 gives up connecting after this. */
const CONNECT_TIMEOUT_MS = '3000';

/** iperf3 refuses a longer `-i`. */
const LONGEST_INTERVAL_S = 60;

/** A report has about 600 bytes of JSON a stream and interval: this many keep it far below 1 MiB. */
const MOST_STREAM_INTERVALS = 160;

/** Ten intervals a test, one a second at most, fewer with more than 16 streams. */
const intervalSeconds = (plan: TestPlan): number => {
  const intervals = max(1, min(10, int(MOST_STREAM_INTERVALS / plan.streams)));
  return max(1, min(LONGEST_INTERVAL_S, int(plan.duration_s / intervals)));
};

/** What this version of iperf3 cannot do of the plan, in words; empty when it can do all. */
export const planProblems = (plan: TestPlan, target: Target, version: string): string[] => {
  const problems: string[] = [];
  if (plan.direction === 'bidir' && !atLeast(version, BIDIR_MINOR))
    push(problems, `${plan.test}: bidir needs iperf3 3.7, this is ${version}`);
  if (target.username != null && !atLeast(version, TIMEOUT_AND_AUTH_MINOR))
    push(problems, `${plan.test}: authentication needs iperf3 3.2, this is ${version}`);
  return problems;
};

/**
 * The arguments of one iperf3 client, without the program's name. Every option is from this list; values of the plan are only ever
 * the argument of an option. The plan must have been validated. `bitrate` is the total in bit/s or null; `-b` is per stream.
 * A password goes in the environment variable IPERF3_PASSWORD, never here.
 */
export const argv = (plan: TestPlan, target: Target, bitrate: number | null, version: string | null): string[] => {
  const args = ['-c', target.host, '-p', `${target.port}`, '-J', '-t', `${plan.duration_s}`, '-P', `${plan.streams}`];
  push(args, '-i', `${intervalSeconds(plan)}`);
  if (plan.omit_s > 0) push(args, '-O', `${plan.omit_s}`);
  if (plan.protocol === 'udp') push(args, '-u');
  if (plan.direction === 'download') push(args, '-R');
  if (plan.direction === 'bidir') push(args, '--bidir');
  if (bitrate != null) push(args, '-b', `${max(1, int(bitrate / plan.streams))}`);
  if (plan['length'] != null) push(args, '-l', `${plan['length']}`);
  if (plan.window != null) push(args, '-w', `${plan.window}`);
  if (plan.congestion != null) push(args, '-C', plan.congestion);
  if (atLeast(version, TIMEOUT_AND_AUTH_MINOR)) push(args, '--connect-timeout', CONNECT_TIMEOUT_MS);
  if (target.username != null && target.key_path != null)
    push(args, '--username', target.username, '--rsa-public-key-path', target.key_path);
  return args;
};
