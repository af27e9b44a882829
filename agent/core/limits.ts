import type { PrepareCommand, TestPlan } from '../../broker/contract/messages.ts';
import { each } from './each.ts';
import type { Limits } from './io.ts';

/** iperf3's own bitrate for UDP when none is given, a stream. */
const UDP_DEFAULT_BITRATE = 1000000;

/** What a test will send at most, in bit/s; null when nothing bounds it. `auto` stays below a TCP test, which is bounded itself. */
const highestBitrate = (plan: TestPlan): number | null => {
  if (plan.bitrate === 'auto') return 0;
  if (plan.bitrate == null && plan.protocol === 'udp') return UDP_DEFAULT_BITRATE * plan.streams;
  return plan.bitrate;
};

const allows = (servers: string[], host: string, port: number): boolean => {
  const name = lc(host);
  const same = filter(servers, (entry) => {
    const allowed = lc(entry);
    return allowed === name || allowed === `${name}:${port}` || allowed === `[${name}]:${port}`;
  });
  return length(same) > 0;
};

/** What a valid plan asks for beyond what the device's owner allows, in words; empty when all is allowed. */
export const limitProblems = (command: PrepareCommand, limits: Limits): string[] => {
  const problems: string[] = [];
  const server = command.server;
  if (limits.servers != null && !allows(limits.servers, server.host, server.port))
    push(problems, `server ${server.host}:${server.port} is not in this agent's limits.servers`);
  each(command.tests, (plan) => {
    if (limits.max_duration_s != null && plan.duration_s + plan.omit_s > limits.max_duration_s)
      push(
        problems,
        `${plan.test}: ${plan.duration_s + plan.omit_s} s is over max_duration ${limits.max_duration_s} s`,
      );
    if (limits.max_streams != null && plan.streams > limits.max_streams)
      push(problems, `${plan.test}: ${plan.streams} streams is over max_streams ${limits.max_streams}`);
    const bitrate = highestBitrate(plan);
    if (limits.max_bitrate != null && (bitrate == null || bitrate > limits.max_bitrate))
      push(
        problems,
        `${plan.test}: bitrate ${bitrate ?? 'without bound'} is over max_bitrate ${limits.max_bitrate} bit/s`,
      );
  });
  return problems;
};
