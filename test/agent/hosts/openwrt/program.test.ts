import './ucode.ts';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { exitCode, runProgram } from '../../../../agent/hosts/openwrt/program.ts';
import { start } from '../../../../agent/hosts/openwrt/shell.ts';
import { makeCertificate } from '../../../helpers/certificates.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { Program } from '../../../helpers/program.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { until } from '../../../helpers/until.ts';
import { World } from '../node/world.ts';
import { makeShell, marked } from './rig.ts';
import { Started, stopAgents, withPrograms } from './started.ts';
import { fillDisk, said } from './ucode.ts';

const says = (pattern: RegExp) => until(`it says ${pattern}`, () => pattern.test(said.stderr));

describe('the command line', () => {
  it('tells version and usage', () => {
    expect([runProgram(['--version']), runProgram(['--help'])]).toEqual([0, 0]);
    expect(said.stdout).toMatch(/^0\.1\.0\nUsage: perfleet-agent --config FILE\n/);
  });

  it.each([[[]], [['--config']], [['--config', 'a', 'b']], [['--what', 'a']]])('refuses %j with the usage', (argv) => {
    expect(runProgram(argv)).toBe(2);
    expect(said.stderr).toMatch(/^Usage: /);
  });

  it('refuses a configuration with all that is wrong', () => {
    expect(runProgram(['--config', '/nowhere/agent.json'])).toBe(1);
    expect(said.stderr).toMatch(/^perfleet: \/nowhere\/agent.json cannot be used:\nperfleet: {3}it cannot be read\n/);
  });

  it('refuses a state folder that cannot be made', () => {
    const state = join(tempFolder(), 'file');
    writeFileSync(state, '');
    fs.open = () => null; // not even /dev/urandom
    expect(new Started({ broker: 'mqtt://127.0.0.1:1' }, state).code).toBe(1);
    expect(said.stderr).toBe(`perfleet: the folder ${state} cannot be used\n`);
  });

  it('refuses to go on without room for its secrets', async () => {
    const agent = new Started({ broker: 'mqtt://127.0.0.1:1' });
    fillDisk();
    await agent.ended();
    expect(said.stderr).toMatch(/no room in /);
    expect([exitCode(), readdirSync(agent.state).filter((name) => name.startsWith('run-'))]).toEqual([1, []]);
  });

  it.each([
    ['tells version and usage', ['--version'], 0],
    ['refuses', [], 2],
  ])('is the whole program: %s', async (_, argv, code) => {
    vi.resetModules();
    Object.assign(globalThis, { ARGV: argv });
    await import('../../../../agent/hosts/openwrt/main.ts');
    expect(said.exits).toEqual([code]);
  });
});

describe('the agent', () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    await world.open();
  });
  afterEach(async () => {
    await stopAgents();
    await world.close();
  });

  it('does a whole run, keeps the result until it is accepted, and says goodbye', async () => {
    const limits = { max_streams: 4, servers: ['127.0.0.1'] };
    const agent = new Started({ broker: world.url, limits, wan_interface: 'lo' });
    await until('the agent is online', () => world.status()?.online);
    await world.send(world.prepare('r-1', 1, {}, 1e12));
    await until('it is ready', () => world.events('ready').length > 0);
    await world.go('r-1', 7);
    const result = await until('there is a result', () => world.results()[0]);
    expect(result).toMatchObject({ run: 'r-1', token: 7, tests: [{ test: 'tcp-upload', exit_code: 0 }] });
    const file = join(agent.state, 'results/r-1.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ run: 'r-1', token: 7 });
    await world.send({ type: 'accepted', run: 'r-1', token: 7 });
    await until('it is forgotten', () => !existsSync(file));
    await agent.stop();
    expect(world.status()).toMatchObject({ online: false, host: 'openwrt' });
    expect(marked(`${agent.state};`)).toEqual([]);
    expect(readdirSync(agent.state).filter((name) => name.startsWith('run-'))).toEqual([]);
  });

  it('does not take what it must not, and ends a run that is cancelled', async () => {
    new Started({ broker: world.url, limits: { max_duration: '20s' }, wan_interface: 'nowhere0' });
    await until('the agent is online', () => world.status()?.online);
    await world.send(world.prepare('r-1', 30));
    await until('it declines', () => world.events('declined')[0]);
    await world.sendRaw('perfleet/1/device/ap-12/command', '{"type":"nonsense"}');
    await says(/command dropped/);
    await world.send(world.prepare('r-2', 1, { host: 'nowhere.invalid' }));
    await until('it declines again', () => world.events('declined')[1]);
    await world.send(world.prepare('r-3', 10, {}, 1e12));
    await says(/cross-traffic is not looked at: set wan_interface/);
    await until('it is ready', () => world.events('ready').length > 0);
    await world.go('r-3', 3);
    await world.send({ type: 'cancel', run: 'r-3', reason: 'told to' });
    await until('it has ended', () => world.events('declined').some((event) => 'token' in event && event.token === 3));
  });

  it('is what the program runs', async () => {
    vi.resetModules();
    const agent = new Started({ broker: world.url }, undefined, (argv) => {
      Object.assign(globalThis, { ARGV: argv });
      void import('../../../../agent/hosts/openwrt/main.ts');
      return null;
    });
    await until('the agent is online', () => world.status()?.online);
    await agent.stop();
    expect(said.exits).toEqual([]);
  });

  it('works where the kernel tells little, and without a stdin', async () => {
    const { readfile } = fs;
    fs.readfile = (path) => (path.startsWith('/proc/') ? null : readfile(path));
    const agent = new Started({ broker: world.url }, undefined, (argv) => {
      fs.fdopen = () => null;
      return runProgram(argv);
    });
    await world.begin('r-1', 7, 1);
    await until('there is a result', () => world.results()[0]);
    agent.leave();
  });

  it('is not told what is not for it', async () => {
    const text = JSON.stringify({ topic: 'perfleet/1/other', payloadlen: 2, payload: '{}', retain: 0 });
    withPrograms({ mosquitto_sub: `echo '${text}'; echo 'that was all'; exec sleep 60` });
    new Started({ broker: world.url });
    await says(/that was all/);
    expect(said.stderr).not.toMatch(/connected/);
  });

  it('drops what is on deck when it is stopped', async () => {
    const agent = new Started({ broker: world.url });
    await world.deck('r-1', 1);
    await agent.stop();
    expect(world.events('declined').at(-1)).toMatchObject({ run: 'r-1' });
  });

  it('is there once for each state folder', async () => {
    const first = new Started({ broker: world.url });
    await until('the agent is online', () => world.status()?.online);
    await new Started({ broker: world.url }, first.state).ended();
    expect([exitCode(), said.stderr]).toEqual([1, expect.stringMatching(/another agent runs in /)]);
    first.leave(); // they share a loop, which has ended
  });

  it('ends what an earlier one left running', async () => {
    const shell = makeShell(['one']);
    const script = 'echo here; exec sleep 60';
    const heard: string[] = [];
    start(
      shell,
      { name: 'one', script, args: [], fed: false, marked: true },
      (text) => heard.push(text),
      () => {},
    );
    await until('it runs', () => heard.length > 0);
    new Started({ broker: world.url }, shell.state);
    await says(/ended what an earlier agent had left running: \d+/);
    await until('the agent is online', () => world.status()?.online);
  });

  it('takes its lock again when somebody ends its holder, and goes on', async () => {
    const agent = new Started({ broker: world.url });
    await until('the agent is online', () => world.status()?.online);
    const holders = () =>
      readdirSync('/proc').filter((pid) => {
        try {
          return /\d+/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0${agent.state};`);
        } catch {
          return false;
        }
      });
    const [holder = ''] = holders();
    process.kill(Number(holder), 'SIGKILL');
    await until('another one holds it', () => holders().some((pid) => pid !== holder));
    await agent.stop();
    expect([world.status()?.online, marked(`${agent.state};`)]).toEqual([false, []]);
  });

  it('may be stopped before it has begun', async () => {
    withPrograms({ iperf3: 'sleep 1; echo iperf 3.12' });
    await new Started({ broker: world.url }).stop();
    expect(world.status()).toBeUndefined();
  });

  it('says when iperf3 is missing, and declines', async () => {
    withPrograms({ iperf3: 'exit 127' });
    new Started({ broker: world.url });
    await until('the agent is online', () => world.status()?.online);
    expect(world.status()?.iperf3).toBeNull();
    expect(said.stderr).toMatch(/no working iperf3: runs will be declined until it is installed/);
  });
});

it('a broker with TLS, certificates and a password is served, and no secret shows', async () => {
  const folder = tempFolder();
  const { cert, key } = makeCertificate();
  const port = await freePort();
  const password = 'it\'s "geheim" $HOME';
  const path = (name: string, text = ''): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const [certfile, keyfile, users] = [path('cert.pem', cert), path('key.pem', key), path('users')];
  execFileSync('mosquitto_passwd', ['-b', users, 'ap-12', password]);
  const tls = `cafile ${certfile}\ncertfile ${certfile}\nkeyfile ${keyfile}\nrequire_certificate true\n`;
  const conf = path('m.conf', `user root\nlistener ${port} 127.0.0.1\n${tls}password_file ${users}\n`);
  const broker = new Program(['mosquitto', '-c', conf, '-v'], process.env);
  onTestFinished(async () => void (await broker.end('SIGTERM')));
  await broker.says(/running/);
  const agent = new Started({
    broker: `mqtts://127.0.0.1:${port}`,
    password,
    tls: { ca: certfile, cert: certfile, key: keyfile },
  });
  await says(/connected to the broker/);
  await broker.says(/PUBLISH from ap-12-post/);
  for (const pid of marked(`${agent.state};`))
    expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain('geheim');
  const run = join(agent.state, readdirSync(agent.state).find((name) => name.startsWith('run-')) ?? '');
  expect(statSync(join(run, 'mosquitto_sub')).mode & 0o777).toBe(0o600);
});
