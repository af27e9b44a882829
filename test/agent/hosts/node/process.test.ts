import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { findLeftovers, signal } from '../../../../agent/hosts/node/leftovers.ts';
import { bundleAgent } from '../../../../packaging/build/build.mjs';
import { groupOf, isRunning } from '../../../helpers/processes.ts';
import { until } from '../../../helpers/until.ts';
import { World } from './world.ts';

const built = mkdtempSync(join(tmpdir(), 'perfleet-agent-bundle-'));
beforeAll(() => {
  writeFileSync(join(built, 'package.json'), '{"type":"module"}');
  bundleAgent(built);
});
afterAll(() => rmSync(built, { recursive: true }));

const VERSION = '[ "$1" = --version ] && { echo "iperf 3.12"; exit; }';
const DEAF = 'trap "" TERM; while :; do sleep 0.1; done';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.open();
});
afterEach(() => world.close());

const launch = (env = process.env) => {
  const file = join(world.folder, 'agent.json');
  writeFileSync(file, JSON.stringify({ device: 'ap-12', broker: world.url, state: world.state }));
  return world.run('node', [join(built, 'agent.js'), '--config', file], { env });
};

/** Ends the agent; resolves with its exit code and the milliseconds that it took. */
const end = async (agent: ChildProcess) => {
  const begin = performance.now();
  agent.kill('SIGTERM');
  const [code] = await once(agent, 'exit');
  return { code, took_ms: performance.now() - begin };
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

  it('killed with -9 while a run is on deck: the guard that waits for it ends by itself', async () => {
    const agent = launch();
    await until('the agent is online', () => world.status()?.online);
    await world.deck('r-1', 60);
    await until('the guard waits', () => findLeftovers(world.state).length > 0);
    agent.kill('SIGKILL');
    await until('the guard is gone', () => findLeftovers(world.state).length === 0);
    expect(existsSync(join(world.state, 'iperf3.pid'))).toBe(false);
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
    expect(world.log.of('warn')[0]).toMatchObject({ fields: { pids: expect.arrayContaining([pid]) } });
  });

  it('a guard that is killed takes iperf3 with it, and the run ends', async () => {
    await world.agent().start();
    await world.begin('r-1', 7, 60);
    const pid = await iperf3();
    process.kill(groupOf(pid), 'SIGKILL');
    await until('the result is there', () => world.results().length > 0);
    await until('iperf3 is gone', () => !isRunning(pid));
    expect(world.results()[0]?.tests[0]).toMatchObject({ exit_code: null });
  });

  it.each([
    ['in the middle of a run: iperf3 ends', () => launch()],
    ['while iperf3 ignores its own: it is killed', () => launch(world.withProgram('iperf3', `${VERSION}; ${DEAF}`))],
  ])('SIGTERM %s, offline is published, exit code 0 within 5 s', async (_, launched) => {
    const agent = launched();
    await world.begin('r-1', 7, 60);
    const pid = await iperf3();
    const { code, took_ms } = await end(agent);
    expect(code).toBe(0);
    expect(took_ms).toBeLessThan(5_000);
    expect(isRunning(pid)).toBe(false);
    await until('offline is published', () => world.status()?.online === false);
    expect(world.events('finished')).toHaveLength(1);
  });

  it('SIGTERM while the broker answers nothing and iperf3 seems not to end: exit code 0 within 5 s all the same', async () => {
    // Out of reach of the guard, and holding the output of iperf3: as one looks that the kernel does not let go.
    const agent = launch(world.withProgram('iperf3', `${VERSION}; setsid sleep 20 & ${DEAF}`));
    await world.begin('r-1', 7, 60);
    const pid = await iperf3();
    const holder = await until('the output is held', () =>
      findLeftovers(world.state).find((one) => readFileSync(`/proc/${one}/cmdline`, 'utf8') === 'sleep\x0020\x00'),
    );
    onTestFinished(() => signal(holder, 'SIGKILL'));
    world.broker?.kill('SIGSTOP');
    const { code, took_ms } = await end(agent);
    world.broker?.kill('SIGCONT');
    expect(code).toBe(0);
    expect(took_ms).toBeLessThan(5_000);
    expect(isRunning(pid)).toBe(false);
    await until('the broker says offline', () => world.status()?.online === false);
  });

  it('SIGTERM while it ends a leftover that ignores TERM: kills that, and exits at once', async () => {
    const env = { ...process.env, PERFLEET_STATE: world.state };
    const leftover = world.run('sh', ['-c', 'trap "echo told" TERM; echo ready; while :; do sleep 0.1; done'], { env });
    const said: string[] = [];
    leftover.stdout?.on('data', (text) => said.push(String(text)));
    await until('it is there', () => said.join('').includes('ready'));
    const agent = launch();
    await until('the agent has told it to end', () => said.join('').includes('told'));
    const { code, took_ms } = await end(agent);
    expect(code).toBe(0);
    expect(took_ms).toBeLessThan(1_000);
    await until('the leftover is gone', () => leftover.signalCode === 'SIGKILL');
    expect(world.status()).toBeUndefined();
  });

  it.each(['flock', 'iperf3'])('SIGTERM while it starts and %s hangs: exits within 5 s', async (name) => {
    const agent = launch(world.withProgram(name, `echo > ${world.folder}/hangs; exec sleep 20`));
    await until('it hangs', () => existsSync(join(world.folder, 'hangs')));
    expect((await end(agent)).took_ms).toBeLessThan(5_000);
    expect(world.status()).toBeUndefined();
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
