import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endLeftovers, MARK } from '../../packaging/dev/leftovers.mjs';
import { vitestArguments } from '../../packaging/dev/test-command.mjs';
import { root } from '../../packaging/root.mjs';

describe('coverage', () => {
  test.each([[[]], [['--reporter=dot']], [['--reporter=default', '--reporter=json', '--outputFile.json=report.json']]])(
    'is measured when everything runs: %j',
    (args) => {
      expect(vitestArguments(args)).toEqual(['run', '--coverage', ...args]);
    },
  );

  test.each([[['test/slots']], [['-t', 'quarantine']], [['--project=timed']], [['--reporter=dot', 'test/slots']]])(
    'is not measured when a part may run: %j',
    (args) => {
      expect(vitestArguments(args)).toEqual(['run', ...args]);
    },
  );
});

describe('a process that outlives its test run', () => {
  const start = async (mark: string): Promise<ChildProcess> => {
    const child = spawn('sleep', ['30'], { env: { ...process.env, [MARK]: mark } });
    await once(child, 'spawn');
    return child;
  };

  test('is reported and killed, one of another run is left alone', async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    const [leftover, bystander] = await Promise.all([start(mine), start(other)]);
    const exited = once(leftover, 'exit');
    expect(await endLeftovers(mine)).toEqual([`${leftover.pid} sleep 30 `]);
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    bystander.kill();
    await once(bystander, 'exit');
  });

  test('is forgiven when it ends by itself a moment later', async () => {
    const mark = randomUUID();
    const child = await start(mark);
    const leftovers = endLeftovers(mark);
    child.kill();
    expect(await leftovers).toEqual([]);
  });
});

describe("CI's verdict", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'perfleet-verdict-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function verdict(report: object | null): Promise<{ line: string; code: number }> {
    const file = join(folder, 'report.json');
    writeFileSync(file, report === null ? '' : JSON.stringify(report));
    const child = spawn(process.execPath, [join(root, '.ci/verdict.mjs'), file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let line = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      line += text;
    });
    const [code] = await once(child, 'close');
    return { line, code };
  }

  const file = (status: string, tests: number) => ({
    status,
    assertionResults: Array.from({ length: tests }, () => ({})),
  });

  test('is good when tests ran and none failed', async () => {
    const report = { numPassedTests: 7, numFailedTests: 0, testResults: [file('passed', 7)] };
    expect(await verdict(report)).toEqual({ line: '7 passed, 0 failed\n', code: 0 });
  });

  test('is bad when one failed', async () => {
    const report = { numPassedTests: 6, numFailedTests: 1, testResults: [file('failed', 7)] };
    expect(await verdict(report)).toEqual({ line: '6 passed, 1 failed\n', code: 1 });
  });

  test('counts a file that could not be loaded as a failure', async () => {
    const report = { numPassedTests: 7, numFailedTests: 0, testResults: [file('passed', 7), file('failed', 0)] };
    expect(await verdict(report)).toEqual({ line: '7 passed, 1 failed\n', code: 1 });
  });

  test('is bad when no test ran, or there is no report at all', async () => {
    expect(await verdict({ numPassedTests: 0, numFailedTests: 0, testResults: [] })).toEqual({
      line: '0 passed, 0 failed\n',
      code: 1,
    });
    expect(await verdict(null)).toEqual({ line: '0 passed, 0 failed\n', code: 1 });
  });
});
