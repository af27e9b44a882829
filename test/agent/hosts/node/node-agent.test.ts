import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLeftovers } from '../../../../agent/hosts/node/leftovers.ts';
import { SystemLoad } from '../../../../broker/contract/messages.ts';
import { ManualClock } from '../../../helpers/manual-clock.ts';
import { groupOf, isRunning, isStopped } from '../../../helpers/processes.ts';
import { until } from '../../../helpers/until.ts';
import { World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.open();
});
afterEach(() => world.close());

const results = () => readdirSync(join(world.state, 'results'));

const wrapped = (script: string) => world.withProgram('iperf3', script);

describe('the agent on Node', () => {
  it('runs a test, keeps the result until it is accepted, and leaves nothing when it stops', async () => {
    const files = () => readdirSync('/proc/self/fd').length;
    const before = files();
    const agent = world.agent();
    await agent.start();
    await world.begin('r-1', 7, 1);
    await until('the result is there', () => world.results().length > 0);
    const [result] = world.results();
    expect(result).toMatchObject({ run: 'r-1', token: 7, tests: [{ test: 'tcp-upload', exit_code: 0, stderr: '' }] });
    expect(JSON.parse(result?.tests[0]?.stdout ?? '').end.sum_received.bits_per_second).toBeGreaterThan(0);
    const { offload: _, ...known } = SystemLoad.parse(result?.tests[0]?.system);
    expect(Object.values(known)).not.toContain(null);
    expect(world.events('finished')).toHaveLength(1);
    expect(results()).toEqual(['r-1.json']);
    await until('the status counts it', () => world.status()?.pending === 1);
    await world.send({ type: 'accepted', run: 'r-1', token: 7 });
    await until('it is forgotten', () => world.status()?.pending === 0);
    expect(results()).toEqual([]);
    await agent.stop();
    await agent.stopped;
    await until('it is offline', () => world.status()?.online === false);
    expect(findLeftovers(world.state)).toEqual([]);
    expect(readFileSync(join(world.state, 'iperf3.pid'), 'utf8')).toBe('');
    await until('no file is left open', () => files() === before);
  });

  it('lets the guard wait on deck, and wakes that very one', async () => {
    await world.agent().start();
    await world.deck('r-1', 60);
    const waiting = await until('the guard waits', () => findLeftovers(world.state)[0]);
    expect(existsSync(join(world.state, 'iperf3.pid'))).toBe(false);
    await world.go('r-1', 7);
    const file = join(world.state, 'iperf3.pid');
    const pid = await until('iperf3 runs', () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0));
    expect(groupOf(pid)).toBe(waiting);
  });

  it('ends the guard of a run that leaves the deck', async () => {
    await world.agent().start();
    await world.deck('r-1', 60);
    await until('the guard waits', () => findLeftovers(world.state).length > 0);
    await world.send({ type: 'cancel', run: 'r-1', reason: 'enough' });
    await until('the guard is gone', () => findLeftovers(world.state).length === 0);
  });

  it('starts another guard when the one that waited is gone', async () => {
    await world.agent().start();
    await world.deck('r-1', 1);
    const waiting = await until('the guard waits', () => findLeftovers(world.state)[0]);
    const children = () => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;
    const before = children();
    process.kill(waiting, 'SIGKILL');
    await until('the agent knows that the guard is gone', () => children() < before);
    await world.go('r-1', 7);
    await until('the result is there', () => world.results().length > 0);
    expect(world.results()[0]?.tests).toMatchObject([{ exit_code: 0 }]);
  });

  it('reports a run for which no guard can be started', async () => {
    wrapped('echo "iperf 3.12"');
    const bin = join(world.folder, 'bin');
    symlinkSync('/usr/bin/flock', join(bin, 'flock'));
    await world.agent({}, { PATH: bin }).start();
    await world.begin('r-1', 7, 1);
    await until('the result is there', () => world.results().length > 0);
    expect(world.results()[0]?.tests[0]?.stderr).toMatch(/^perfleet: not started: spawn sh ENOENT/);
    expect(world.log.of('debug').map(({ message }) => message)).toContain('no guard could be started ahead of time');
  });

  it('ends iperf3 on cancel, and says when it is gone', async () => {
    await world.agent().start();
    await world.begin('r-1', 7, 60);
    const file = join(world.state, 'iperf3.pid');
    const pid = await until('iperf3 runs', () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0));
    await world.send({ type: 'cancel', run: 'r-1', reason: 'enough' });
    await until('the slot is free', () => world.events('declined').length > 0);
    expect(world.events('declined')).toMatchObject([{ token: 7, reason: 'cancelled: iperf3 has ended' }]);
    expect(isRunning(pid)).toBe(false);
  });

  it('does not wait for ever for a guard that does nothing: it kills all of it and goes', async () => {
    const clock = new ManualClock();
    const agent = world.agent({}, process.env, clock);
    await agent.start();
    await world.begin('r-1', 7, 60);
    const file = join(world.state, 'iperf3.pid');
    await until('iperf3 runs', () => existsSync(file) && Number(readFileSync(file, 'utf8')));
    const pids = findLeftovers(world.state);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await until('all of it is stopped', () => pids.every(isStopped));
    const stopping = agent.stop();
    clock.advance(5_000);
    await stopping;
    await until('all of it is gone', () => !pids.some(isRunning));
    await until('it is offline', () => world.status()?.online === false);
  });

  it('puts the key in a file while iperf3 runs, and the password in its environment', async () => {
    const probe =
      '[ "$1" = --version ] && { echo "iperf 3.12"; exit; }; cat "$STATE/server-key.pem"; echo "$IPERF3_PASSWORD $*"';
    await world.agent({}, { ...wrapped(probe), STATE: world.state }).start();
    const auth = { username: 'u', password: 'secret', public_key: 'THE KEY' };
    await world.begin('r-1', 7, 1, { auth });
    await until('the result is there', () => world.results().length > 0);
    const stdout = world.results()[0]?.tests[0]?.stdout;
    expect(stdout).toMatch(/^THE KEYsecret -c 127.0.0.1 .* --username u --rsa-public-key-path /);
    expect(existsSync(join(world.state, 'server-key.pem'))).toBe(false);
  });

  it('declines when iperf3 is missing or the name has no address', async () => {
    await world.agent({}, { PATH: wrapped('exit 1')['PATH'] }).start();
    expect(world.log.of('warn')[0]?.message).toMatch(/^no working iperf3/);
    await until('the agent is online', () => world.status()?.online);
    expect(world.status()).toMatchObject({ iperf3: null, capabilities: [] });
    await world.send(world.prepare('r-1', 1));
    await until('it is declined', () => world.events('declined')[0]);
    expect(world.events('declined')[0]).toMatchObject({ reason: expect.stringMatching(/^iperf3-missing/) });
    writeFileSync(join(world.folder, 'bin', 'iperf3'), '#!/bin/sh\necho iperf 3.12\n');
    await world.send({ ...world.prepare('r-2', 1, { host: 'name.invalid' }) });
    await until('it is declined', () => world.events('declined')[1]);
    expect(world.events('declined')[1]).toMatchObject({ reason: expect.stringMatching(/^unresolved/) });
  });

  it('declines while its WAN is in use', async () => {
    await world.agent({ wan_interface: 'lo' }).start();
    await until('the agent is online', () => world.status()?.online);
    await world.send(world.prepare('r-1', 1, {}, 1));
    // What it hears meanwhile comes over loopback.
    const talk = () => world.send({ type: 'cancel', run: 'r-0', reason: 'nothing' });
    await until('it is declined', () => talk().then(() => world.events('declined')[0]));
    const [declined] = world.events('declined');
    expect(declined).toMatchObject({ reason: expect.stringMatching(/^cross-traffic: .* on lo is over 1 bit\/s$/) });
    expect(world.events('ready')).toEqual([]);
  });

  it('measures when it cannot look at its WAN, and says what to do', async () => {
    await world.agent({ wan_interface: 'nonesuch0' }).start();
    await until('the agent is online', () => world.status()?.online);
    await world.send(world.prepare('r-1', 1, {}, 1));
    await until('it is ready', () => world.events('ready')[0]);
    const told = world.log.of('warn').filter(({ message }) => message.includes('set wan_interface'));
    expect(told).toMatchObject([{ fields: { problem: 'there is no interface nonesuch0 with byte counters' } }]);
  });

  it('does not look at its WAN to the end when it declines anyway, is asked for something else, or stops', async () => {
    const clock = new ManualClock(); // no look ever ends
    const agent = world.agent({ wan_interface: 'nonesuch0' }, process.env, clock);
    await agent.start();
    await until('the agent is online', () => world.status()?.online);
    await world.send(world.prepare('r-1', 1, { host: 'name.invalid' }, 1));
    await until('it is declined', () => world.events('declined')[0]);
    expect(world.events('declined')[0]).toMatchObject({ reason: expect.stringMatching(/^unresolved/) });
    await world.send(world.prepare('r-2', 1, {}, 1));
    await world.send(world.prepare('r-3', 1));
    await until('the last one is ready', () => world.events('ready').some(({ run }) => run === 'r-3'));
    await world.send(world.prepare('r-4', 1, {}, 1));
    await until('that is superseded', () => world.events('declined').some(({ run }) => run === 'r-3'));
    await agent.stop();
    clock.advance(2_000);
    expect(world.log.of('warn')).toEqual([]);
  });

  it('puts a stale last will right, and drops what is no JSON', async () => {
    await world.agent().start();
    await until('the agent is online', () => world.status()?.online);
    await world.sendRaw('perfleet/1/device/ap-12/command', '{');
    await until('it is dropped', () =>
      world.log.of('warn').some(({ message }) => message.startsWith('message dropped')),
    );
    await world.sendRaw('perfleet/1/device/ap-12/status', '{"online":false,"boot":"old"}');
    await until('the will is heard', () =>
      world.heard.some((one) => one.kind === 'status' && one.payload.boot === 'old'),
    );
    await until('it is put right', () => world.status()?.online);
  });

  it('keeps a result over a restart, and sends it again until it is accepted', async () => {
    const first = world.agent();
    await first.start();
    await world.begin('r-1', 7, 1);
    await until('the result is there', () => world.results().length > 0);
    await first.stop();
    const boots = new Set(world.results().map(({ boot }) => boot));
    await world.agent().start();
    await until('it is sent again', () => world.results().some(({ boot }) => !boots.has(boot)));
    expect(results()).toEqual(['r-1.json']);
    await world.send({ type: 'accepted', run: 'r-1', token: 7 });
    await until('it is forgotten', () => results().length === 0);
  });

  it('refuses to run twice with one folder', async () => {
    const agent = world.agent();
    await agent.start();
    await expect(world.agent().start()).rejects.toThrow(
      `another agent holds ${join(world.state, 'lock')}: stop it first`,
    );
    await agent.stop();
    await world.agent().start();
  });

  it('says which utility is missing', async () => {
    await expect(world.agent({}, { PATH: world.folder }).start()).rejects.toThrow(/install the flock utility$/);
  });

  it('may be stopped before it has started, and while it starts', async () => {
    const agent = world.agent();
    await agent.stop();
    const hasty = world.agent();
    const starting = hasty.start();
    await hasty.stop();
    await starting;
    expect(world.status()).toBeUndefined();
    await world.agent().start();
  });

  it('gives the lock back when it cannot connect as told', async () => {
    await expect(world.agent({ broker: 'ftp://x' }).start()).rejects.toThrow(/the broker URL/);
    await world.agent().start();
    expect(readFileSync(join(world.state, 'lock'), 'utf8')).toBe('');
  });
});
