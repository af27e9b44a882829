import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { type DemoIo, runDemo } from '../../../controller/demo/demo.ts';
import { bundleAgent } from '../../../packaging/build/build.mjs';
import { temporaryFolder } from '../../helpers/controller-fixture.ts';
import { nothingOpen } from '../../helpers/open-handles.ts';

const built = mkdtempSync(join(tmpdir(), 'perfleet-agent-'));
const agent = join(built, 'agent.js');
beforeAll(() => {
  bundleAgent(built);
});
afterAll(() => rmSync(built, { recursive: true }));
beforeEach(nothingOpen);

const makeIo = (overrides: Partial<DemoIo> = {}) => {
  const said = { out: '', err: '' };
  const interrupt = new AbortController();
  const io: DemoIo = {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
    env: process.env,
    signal: interrupt.signal,
    clock: systemClock,
    random: Math.random,
    ...overrides,
  };
  return { io, said, interrupt };
};

const small = () => ({ json: false, devices: 2, servers: 1, duration_s: 1, agent, version: '0.0.0' });

describe('the demo', () => {
  it('measures a fleet for real on a terminal, and leaves nothing behind', async () => {
    const { io, said } = makeIo();
    const stdout = { ...io.stdout, isTTY: true };
    expect(await runDemo(small(), { ...io, stdout })).toBe(0);
    expect(said.err).toBe('');
    expect(said.out).toMatch(/server-1 +device-\d +tcp-upload/);
    expect(said.out).toMatch(/device-2 .* success/);
    expect(said.out).toMatch(/The slots of 1 servers were \d+\.\d% busy/);
    const folder = /in (\S+perfleet-stage-\S+)/.exec(said.out)?.[1] ?? '';
    expect(existsSync(folder)).toBe(false);
    await nothingOpen();
  });

  it('prints one object with --json, and nothing else', async () => {
    const { io, said } = makeIo();
    expect(await runDemo({ ...small(), json: true, devices: 1 }, io)).toBe(0);
    const report = JSON.parse(said.out);
    expect(Object.keys(report)).toEqual(['runs', 'slot_use', 'makespan_s']);
    expect(report.runs[0].measurements.map((one: { test: string }) => one.test)).toEqual([
      'tcp-upload',
      'tcp-download',
      'udp-upload',
    ]);
  });

  it('ends with 130 when it is interrupted, and leaves nothing behind', async () => {
    const { io, said, interrupt } = makeIo();
    const ended = runDemo(small(), {
      ...io,
      stdout: {
        write: (text) => {
          said.out += text;
          if (text.includes('has the slot')) interrupt.abort();
        },
      },
    });
    expect(await ended).toBe(130);
    expect(said.err).toBe('perfleet demo: interrupted\n');
    await nothingOpen();
  });

  it('does not begin when it is interrupted before', async () => {
    const { io, interrupt } = makeIo();
    interrupt.abort();
    expect(await runDemo(small(), io)).toBe(130);
    await nothingOpen();
  });

  it('says what has ended when a part of it does, with what that said last', async () => {
    const { io, said } = makeIo();
    const missing = join(temporaryFolder(), 'no-agent.js');
    expect(await runDemo({ ...small(), agent: missing }, io)).toBe(1);
    expect(said.err).toMatch(/perfleet demo: the agent of device-\d is gone: it ended with code 1/);
    expect(said.err).toContain('Cannot find module');
  });

  it('says how to install iperf3 when it is missing', async () => {
    const { io, said } = makeIo({ env: { PATH: temporaryFolder() } });
    expect(await runDemo(small(), io)).toBe(1);
    expect(said.err).toBe('perfleet demo: iperf3 is not on the PATH. Install it: sudo apt-get install -y iperf3\n');
  });
});
