import { readFileSync } from 'node:fs';
import type { TestOutput } from '../../broker/contract/messages.ts';

/** iperf3's real output from the corpus, as an agent would send it. */
export const corpusOutput = (file: string, output: Partial<TestOutput> = {}): TestOutput => ({
  test: 'tcp-upload',
  exit_code: 0,
  stdout: readFileSync(new URL(`../iperf3-corpus/${file}`, import.meta.url), 'utf8'),
  stderr: '',
  started_ms: 3,
  ended_ms: 2014,
  ...output,
});
