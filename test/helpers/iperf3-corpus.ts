import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** From the root of the repository, where tests, benches and the fuzzer run. */
const FOLDER = 'test/iperf3-corpus';

/** The names of the captured outputs of real iperf3 versions. */
export const corpusFiles: string[] = readdirSync(FOLDER).filter((name) => /\.jsonl?$/.test(name));

/** The text of one captured stdout. */
export const corpusText = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

/** A captured output as `readTest` takes it; without the exit code, which says nothing. */
export const corpusOutput = (name: string): { stdout: string; stderr: string; exit_code: number | null } => {
  const stderr = join(FOLDER, name.replace(/\.jsonl?$/, '.stderr'));
  return { stdout: corpusText(name), stderr: existsSync(stderr) ? readFileSync(stderr, 'utf8') : '', exit_code: null };
};
