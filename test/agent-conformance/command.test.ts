import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleForHere } from '../../packaging/build/build.mjs';
import { root } from '../../packaging/root.mjs';
import { processesWith } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';

/** Beside node_modules, where its packages are found. */
const folder = mkdtempSync(join(root, 'node_modules/.conformance-'));
const file = join(folder, 'conformance.js');
beforeAll(() => void bundleForHere('test/agent-conformance/main.ts', file));
afterAll(() => rmSync(folder, { recursive: true }));

const conformance = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });

it('an agent that is none fails, says why, and the exit code is 1', async () => {
  const { code, stdout } = await conformance('--only', 'T1', '--command', 'echo no agent: {config};');
  expect(code).toBe(1);
  expect(stdout).toMatch(/T1 +FAIL it speaks MQTT/);
  expect(stdout).toMatch(/the agent ended instead of going online:\s+no agent: \/\S+\.json/);
  expect(stdout).toMatch(/1 of 1 cases failed: T1\n$/);
});

it('with --json it prints one object for an agent', async () => {
  const { code, stdout } = await conformance('--only', 'T6', '--json', '--command', 'false');
  expect(code).toBe(1);
  const verdict = { rule: 'T6', title: expect.any(String), problem: expect.any(String), ms: expect.any(Number) };
  expect(JSON.parse(stdout)).toEqual({ agent: 'false', command: 'false', ok: false, verdicts: [verdict] });
});

it('wrong usage is exit code 2, and --help lists the options', async () => {
  for (const args of [['--only', 'X1'], ['--jobs', '0'], ['--colour'], ['--command', ' ']]) {
    const { code, stderr } = await conformance(...args);
    expect([args, code]).toEqual([args, 2]);
    expect(stderr).toMatch(/usage: npm run conformance/);
  }
  const help = await conformance('--help');
  expect(help.code).toBe(0);
  for (const option of ['--command', '--only', '--slow', '--jobs', '--json']) expect(help.stdout).toContain(option);
});

it('a rule that is not about agents is refused with the reason', async () => {
  const { code, stderr } = await conformance('--only', 'L12');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^no case is about L12: the controller's disk\n/);
});

it.each(['SIGINT', 'SIGTERM'] as const)('%s ends all that it has started, and the exit code is 130', async (signal) => {
  const mark = randomUUID();
  const args = ['--only', 'S1', '--command', 'sleep 300;'];
  const child = spawn(process.execPath, [file, ...args], { cwd: root, env: { ...process.env, PERFLEET_TEST: mark } });
  const ended = once(child, 'exit');
  const started = () => processesWith(`PERFLEET_TEST=${mark}`).filter(({ pid }) => pid !== child.pid);
  await until('a broker and an agent run', () => {
    const names = started().map(({ name }) => name);
    return names.includes('mosquitto') && names.includes('sleep');
  });
  child.kill(signal);
  expect(await ended).toEqual([130, null]);
  await until('nothing is left', () => started().length === 0);
});
