import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { installWitness, readWitness, type WitnessLine } from '../../controller/demo/witness.ts';

/** What anybody would write. */
const LOOP = `cd "$1" || exit
times=$2
shift 2
while [ "$times" -gt 0 ]; do
  iperf3 "$@" >"$times.json" || exit
  times=$((times - 1))
done`;

/** iperf3 3.11 to 3.13 exit with 0 when they fail. */
const Good = z.object({ end: z.object({ sum_received: z.object({ bytes: z.number().positive() }) }) });

export interface PlainLoop {
  /** For its outputs and for its own witness. */
  folder: string;
  /** The real iperf3. */
  iperf3: string;
  args: string[];
  times: number;
  signal: AbortSignal;
}

/** Runs the same iperf3 command one time after another, with the witness on the PATH; what that saw. Rejects when one failed. */
export const plainLoop = async ({ folder, iperf3, args, times, signal }: PlainLoop): Promise<WitnessLine[]> => {
  const env = installWitness(folder, iperf3, process.env);
  await promisify(execFile)('sh', ['-c', LOOP, 'loop', folder, `${times}`, ...args], { env, signal, timeout: 300_000 });
  for (let time = 1; time <= times; time += 1)
    Good.parse(JSON.parse(readFileSync(join(folder, `${time}.json`), 'utf8')));
  return readWitness(folder);
};
