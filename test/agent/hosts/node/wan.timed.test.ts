import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Namespaces } from '../../../helpers/namespaces.ts';
import { Program } from '../../../helpers/program.ts';
import { until } from '../../../helpers/until.ts';
import { World } from './world.ts';

/*
 *   this process         device's namespace                  somebody's namespace
 *   broker  ──(control)──  agent, and somebody's iperf3 -c  ──(WAN)──  iperf3 -s
 */

const LIMIT = 2_000_000;
const PORT = 5201;
const WARNING =
  /^warn cross-traffic is not looked at: set wan_interface in the agent's file .* \{"problem":"there is no default route"\}$/m;

const world = new World();
const programs: Program[] = [];
let namespaces: Namespaces | undefined;
let device = '';
let far = '';
let wan = { a: '', b: '' };
let agent: Program | undefined;

const inside = (namespace: string, ...line: string[]): Program => {
  const [command, args] = namespaces?.inside(namespace, ...line) ?? ['false', []];
  const program = new Program([command, ...args], process.env);
  programs.push(program);
  return program;
};

const defaultRoute = (what: 'add' | 'delete') =>
  execFileSync('ip', ['-n', device, 'route', what, 'default', 'via', wan.b]);

beforeAll(async () => {
  namespaces = new Namespaces();
  device = namespaces.add('device');
  far = namespaces.add('far');
  const control = namespaces.link(null, device);
  wan = namespaces.link(device, far);
  defaultRoute('add');
  await world.open(control.a);
  await inside(far, 'timeout', '120', 'iperf3', '-s', '-B', wan.b, '-p', `${PORT}`, '--forceflush').says(/listening/);
  const file = join(world.folder, 'agent.json');
  const state = join(world.folder, 'far-state');
  mkdirSync(state);
  writeFileSync(file, JSON.stringify({ device: 'ap-12', broker: world.url, state }));
  agent = inside(device, process.execPath, join(inject('programs'), 'agent.js'), '--config', file);
  await until('the agent is online', () => world.status()?.online);
});

afterAll(async () => {
  for (const program of programs.reverse()) if (program.running) await program.end('SIGTERM');
  await world.close();
  namespaces?.remove();
});

const hasSaid = (type: string, run: string) => world.events(type).find((event) => event.run === run);

/** What the agent answers to a `prepare` of this run, and after how long. */
const prepared = async (run: string, max_cross_traffic: number | null) => {
  const begin = performance.now();
  await world.send(world.prepare(run, 1, {}, max_cross_traffic));
  const answer = await until(`${run} is answered`, () => hasSaid('ready', run) ?? hasSaid('declined', run));
  return { answer, took_ms: performance.now() - begin };
};

test('an agent declines while others use its WAN, and measures when they do not', async () => {
  expect(world.status()?.capabilities).toContain('cross-traffic');

  const quiet = await prepared('r-quiet', LIMIT);
  expect(quiet.answer).toMatchObject({ type: 'ready' });
  expect(quiet.took_ms, 'it has looked for 2 s').toBeGreaterThan(1_950);

  const somebody = inside(
    device,
    'timeout',
    '120',
    'iperf3',
    '-c',
    wan.b,
    '-p',
    `${PORT}`,
    ...'-b 20M -t 60'.split(' '),
    '--forceflush',
  );
  await somebody.says(/Mbits\/sec/);
  const { answer } = await prepared('r-busy', LIMIT);
  const reason = answer.type === 'declined' ? answer.reason : '';
  const [, rate] = /^cross-traffic: ([0-9.]+) Mbit\/s on pf[0-9]+-1a is over 2 Mbit\/s$/.exec(reason) ?? [];
  expect(Number(rate), reason).toBeGreaterThan(15);
  expect(Number(rate), reason).toBeLessThan(25);

  const unasked = await prepared('r-unasked', null);
  expect(unasked.answer).toMatchObject({ type: 'ready' });
  expect(unasked.took_ms, 'nobody has looked').toBeLessThan(1_950);

  await somebody.end('SIGTERM');
  expect((await prepared('r-again', LIMIT)).answer).toMatchObject({ type: 'ready' });
  expect(agent?.stderr).not.toContain('wan_interface');
});

test('an agent that cannot tell says so, and measures', async () => {
  defaultRoute('delete');
  expect((await prepared('r-lost', LIMIT)).answer).toMatchObject({ type: 'ready' });
  await until('the agent says so', () => WARNING.test(agent?.stderr ?? ''));
});
