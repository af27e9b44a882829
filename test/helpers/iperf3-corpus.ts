import { existsSync, readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../iperf3-corpus/', import.meta.url);

/** The names of the captured outputs of real iperf3 versions. */
export const corpusFiles: string[] = readdirSync(folder).filter((name) => /\.jsonl?$/.test(name));

/** The text of one captured stdout. */
export const corpusText = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** A captured output as `readTest` takes it; without the exit code, which says nothing. */
export const corpusOutput = (name: string): { stdout: string; stderr: string; exit_code: number | null } => {
  const stderr = new URL(name.replace(/\.jsonl?$/, '.stderr'), folder);
  return { stdout: corpusText(name), stderr: existsSync(stderr) ? readFileSync(stderr, 'utf8') : '', exit_code: null };
};
