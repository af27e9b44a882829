import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { until } from '../helpers/until.ts';

const argv = process.argv;
afterEach(() => {
  process.argv = argv;
  vi.restoreAllMocks();
  vi.resetModules();
});

/** Runs `agent/main.ts` as this process would; resolves with what it wrote and its exit code. */
const main = async (...args: string[]) => {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => stdout.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => stderr.push(String(text)) > 0);
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  process.argv = ['node', 'agent.js', ...args];
  await import('../../agent/main.ts');
  return { stdout: stdout.join(''), stderr: stderr.join(''), exits: exit.mock.calls };
};

it('the agent writes what it is asked for to stdout', async () => {
  expect(await main('--version')).toEqual({ stdout: '0.1.0\n', stderr: '', exits: [[0]] });
});

it('the agent writes what is wrong to stderr', async () => {
  const { stdout, stderr, exits } = await main();
  expect({ stdout, exits }).toEqual({ stdout: '', exits: [[2]] });
  expect(stderr).toMatch(/^--config FILE is missing\n/);
});

it.each(['SIGTERM', 'SIGINT'] as const)('the agent stops at %s', async (signal) => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-main-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'agent.json');
  writeFileSync(file, JSON.stringify({ device: 'd', broker: 'mqtt://127.0.0.1:1', state: join(folder, 'state') }));
  const listeners = () => process.listeners(signal).filter((listener) => !before.includes(listener));
  const before = process.listeners(signal);
  const ended = main('--config', file);
  const [stop] = await until('it listens', () => (listeners().length > 0 ? listeners() : null));
  onTestFinished(() => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(name);
    for (const listener of before) process.on(signal, listener);
  });
  stop?.(signal);
  expect(await ended).toMatchObject({ exits: [[0]] });
});
