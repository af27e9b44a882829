import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';

const Output = z.object({ end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }) });

/** Runs a command that is iperf3 with `-J` for a TCP test; what its receiver counted, in bit/s, by the plainest reading there is. */
export const iperf3ByHand = async (command: string, args: string[]): Promise<number> => {
  const { stdout } = await promisify(execFile)(command, args, { timeout: 60_000 });
  return Output.parse(JSON.parse(stdout)).end.sum_received.bits_per_second;
};
