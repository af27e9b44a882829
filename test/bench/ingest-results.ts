import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult, TestPlan } from '../../broker/contract/messages.ts';
import { demoTests } from '../../controller/demo/demo.ts';

/** What the runs measure: the default check. */
export const TESTS: TestPlan[] = demoTests(10);

/** iperf3's own output of the three tests, as each of these versions printed it. */
const VERSIONS = ['3.1.3', '3.7', '3.9', '3.12', '3.16', '3.17.1', '3.20'];
const FILES: Record<string, string> = { 'tcp-upload': 'tcp_up', 'tcp-download': 'tcp_down', 'udp-upload': 'udp_up' };

const read = (version: string, test: string): string =>
  readFileSync(join('test/iperf3-corpus', `v${version}__${FILES[test]}.json`), 'utf8');

/** One output for each version and test. */
const outputs = () => VERSIONS.map((version) => new Map(TESTS.map(({ test }) => [test, read(version, test)])));

export const runOf = (token: number): string => `r-${token}`;

/** `count` results with the tokens 1 and up, in turns of all versions, as agents send them. */
export const corpusResults = (count: number): RunResult[] => {
  const versions = outputs();
  return Array.from({ length: count }, (_, index) => ({
    run: runOf(index + 1),
    token: index + 1,
    boot: 'boot',
    tests: TESTS.map(({ test }, place) => ({
      test,
      exit_code: 0,
      stdout: versions[index % versions.length]?.get(test) ?? '',
      stderr: '',
      started_ms: place * 11_000,
      ended_ms: (place + 1) * 11_000,
    })),
  }));
};

/** A thousand devices take turns. */
export const deviceOf = (token: number): string => `ap-${token % 1000}`;
