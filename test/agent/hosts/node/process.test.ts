import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findLeftovers } from '../../../../agent/hosts/node/leftovers.ts';
import { bundleAgent } from '../../../../packaging/build/build.mjs';
import { isRunning } from '../../../helpers/processes.ts';
import { until } from '../../../helpers/until.ts';
import { World } from './world.ts';

const built = mkdtempSync(join(tmpdir(), 'perfleet-agent-bundle-'));
beforeAll(() => {
  writeFileSync(join(built, 'package.json'), '{"type":"module"}');
  bundleAgent(built);
});
afterAll(() => rmSync(built, { recursive: true }));

let world: World;
beforeEach(async () => {
  world = new World();
  await world.open();
});
afterEach(() => world.close());

const launch = () => {
  const file = join(world.folder, 'agent.json');
  writeFileSync(file, JSON.stringify({ device: 'ap-12', broker: world.url, state: world.state }));
  return world.run('node', [join(built, 'agent.js'), '--config', file]);
};

const iperf3 = () => {
  const file = join(world.state, 'iperf3.pid');
  return until('iperf3 runs', () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0));
};

describe('the agent as a process', () => {
  it('killed with -9 in the middle of a run: iperf3 is gone within 3 s', async () => {
    const agent = launch();
    await world.begin('r-1', 7, 60);
    const pid = await iperf3();
    agent.kill('SIGKILL');
    const begin = performance.now();
    await until('iperf3 is gone', () => !isRunning(pid));
    expect(performance.now() - begin).toBeLessThan(3_000);
    await until('the guard is gone', () => findLeftovers(world.state).length === 0);
  });

  it('killed together with the guard: its next start ends iperf3 before it connects', async () => {
    const agent = launch();
    await world.begin('r-1', 7, 60);
    const pid = await iperf3();
    agent.kill('SIGSTOP'); // nor does anybody end iperf3 in between
    for (const other of findLeftovers(world.state)) if (other !== pid) process.kill(other, 'SIGKILL');
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    expect(isRunning(pid)).toBe(true);
    await world.agent().start();
    expect(isRunning(pid)).toBe(false);
    expect(world.log.of('warn')[0]).toMatchObject({ fields: { pids: [pid] } });
  });

  it('a guard that is killed takes iperf3 with it, and the run ends', async () => {
    await world.agent().start();
    await world.begin('r-1', 7, 60);
    const pid = await iperf3();
    const guard = Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2]);
    process.kill(guard, 'SIGKILL');
    await until('the result is there', () => world.results().length > 0);
    await until('iperf3 is gone', () => !isRunning(pid));
    expect(world.results()[0]?.tests[0]).toMatchObject({ exit_code: null });
  });

  it('SIGTERM in the middle of a run: iperf3 ends, offline is published, exit code 0 within 5 s', async () => {
    const agent = launch();
    await world.begin('r-1', 7, 60);
    const pid = await iperf3();
    const begin = performance.now();
    agent.kill('SIGTERM');
    const [code] = await once(agent, 'exit');
    expect(code).toBe(0);
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect(isRunning(pid)).toBe(false);
    await until('offline is published', () => world.status()?.online === false);
    expect(world.events('finished')).toHaveLength(1);
  });

  it('a second one with the same folder says so, exit code 1', async () => {
    launch();
    await until('the agent is online', () => world.status()?.online);
    const second = launch();
    const output: string[] = [];
    second.stderr?.on('data', (chunk) => output.push(String(chunk)));
    const [code] = await once(second, 'close');
    expect(code).toBe(1);
    expect(output.join('')).toMatch(/^another agent holds .*lock: stop it first/);
  });
});
