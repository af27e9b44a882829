import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import '../../agent/hosts/node/builtins.ts';
import { argv } from '../../agent/iperf3/argv.ts';
import { systemClock } from '../../broker/clock.ts';
import { findProgram } from '../../controller/demo/find-program.ts';
import { probeServer } from '../../controller/drivers/probe.ts';
import { root } from '../../packaging/root.mjs';
import { page } from '../docs/markdown.ts';
import { temporaryFolder, testPlan } from '../helpers/controller-fixture.ts';
import { freePort } from '../helpers/free-port.ts';
import { isStopped, processesWith } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';

const PACKAGE = join(root, 'packaging/iperf3-server');
const UNIT = 'perfleet-iperf3@.service';
const LOOP = join(PACKAGE, 'perfleet-iperf3-loop');
const HOST = '127.0.0.1';
const DOCS = 'docs/iperf3-server.md';

const unit = readFileSync(join(PACKAGE, UNIT), 'utf8');
const settingOf = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

/** Runs a program until the test is over, 110 s at most; `ended` resolves with its exit code. */
const start = (command: readonly string[], env: NodeJS.ProcessEnv = process.env) => {
  const child = spawn('timeout', ['--kill-after=2', '110', ...command], { stdio: 'ignore', env });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill();
    await ended;
  });
  return { child, ended };
};

const iperf3Program = findProgram('iperf3', process.env) ?? 'iperf3';

const answers = (port: number) =>
  until('the server answers', async () => (await probeServer(HOST, port, systemClock)).verdict === 'answers', 15);

/** Runs one client to its end, trying again like an agent while nobody listens; its output. */
const measure = (port: number, args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env) =>
  until('a test is through', () => {
    const command = ['-c', HOST, '-p', String(port), '-n', '1', '-J', ...args];
    const { stdout } = spawnSync('iperf3', command, { env, timeout: 100_000, encoding: 'utf8' });
    return /Connection refused|busy|reset by peer/.test(stdout) ? null : stdout;
  });

describe('the systemd unit', () => {
  it('is one that systemd takes, also with the drop-in for authentication', () => {
    const folder = temporaryFolder();
    cpSync(join(PACKAGE, UNIT), join(folder, UNIT));
    mkdirSync(join(folder, `${UNIT}.d`));
    cpSync(join(PACKAGE, 'auth.conf'), join(folder, `${UNIT}.d/auth.conf`));
    const instance = join(folder, UNIT.replace('@', '@5201'));
    cpSync(join(PACKAGE, UNIT), instance);
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', instance], {
      encoding: 'utf8',
      timeout: 100_000,
    });
    // Other units of this machine, and what of them it can't find, are not ours.
    const ours = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('perfleet-iperf3'));
    expect([status, ours]).toEqual([0, []]);
  });

  it('starts a fresh server always and soon, for ever, as a user of its own', () => {
    expect(unit.match(/^(Restart|RestartSec|StartLimitIntervalSec|DynamicUser|PrivateTmp)=.*$/gm)).toEqual([
      ...['StartLimitIntervalSec=0', 'Restart=always', 'RestartSec=100ms', 'DynamicUser=yes', 'PrivateTmp=yes'],
    ]);
    expect(settingOf('RuntimeMaxSec')).toBe('15min');
    expect(settingOf('CapabilityBoundingSet')).toBe('');
  });

  it('has a command that iperf3 takes, and that ends after one client, or when nobody comes', async () => {
    const port = await freePort();
    const command = (idle: string) =>
      settingOf('ExecStart')
        .replace('/usr/bin/iperf3', iperf3Program)
        .replaceAll('%i', String(port))
        .replace('300', idle)
        .replace(' $OPTIONS', '')
        .split(' ');
    const used = start(command('300'));
    await answers(port);
    expect(await used.ended).toBe(0);
    expect(await start(command('1')).ended).toBe(0);
  });

  it('hands iperf3 the files for authentication', () => {
    const dropIn = readFileSync(join(PACKAGE, 'auth.conf'), 'utf8');
    expect(dropIn).toContain('--rsa-private-key-path %d/private.pem --authorized-users-path %d/users.csv');
    for (const file of ['private.pem', 'users.csv']) {
      expect(dropIn).toContain(`LoadCredential=${file}:/etc/perfleet-iperf3/${file}`);
    }
  });
});

describe('the loop for OpenWrt, in BusyBox ash with the applets of a router', () => {
  const MARK = 'PERFLEET_TEST_LOOP';

  /** The loop on a free port. `limit` seconds is what a server may live. */
  const startLoop = async (limit: number) => {
    const port = await freePort();
    const folder = temporaryFolder();
    for (const name of ['sh', 'sleep', 'logger'])
      symlinkSync(findProgram('busybox', process.env) ?? '', join(folder, name));
    symlinkSync(iperf3Program, join(folder, 'iperf3'));
    const env = { PATH: folder, [MARK]: folder };
    const timeout = findProgram('timeout', process.env) ?? 'timeout';
    const args = [String(limit), '--idle-timeout', '300', '--port', String(port), '--bind', HOST];
    const child = spawn(timeout, ['--kill-after=2', '110', join(folder, 'sh'), LOOP, ...args], {
      stdio: 'ignore',
      env,
    });
    const ended = once(child, 'exit');
    const all = () => processesWith(`${MARK}=${folder}`);
    const servers = () => all().filter(({ name }) => name === 'iperf3');
    onTestFinished(async () => {
      if (child.exitCode === null) child.kill();
      await ended;
      for (const { pid } of all()) process.kill(pid, 'SIGKILL');
    });
    return { port, child, ended, all, servers };
  };

  it('starts a fresh server after each test', async () => {
    const loop = await startLoop(600);
    const pids = new Set<number>();
    for (let test = 0; test < 3; test++) {
      const server = await until('a server runs', () => loop.servers()[0]);
      pids.add(server.pid);
      expect(JSON.parse(await measure(loop.port))).not.toHaveProperty('error');
      await until('it is used up', () => loop.servers().every(({ pid }) => pid !== server.pid));
    }
    expect(pids.size).toBe(3);
  });

  it('kills a server that is stuck, which a probe shows, and starts another one', async () => {
    const loop = await startLoop(1);
    const stuck = await until('a server listens', async () => {
      const server = loop.servers()[0];
      if (server === undefined) return null;
      process.kill(server.pid, 'SIGSTOP');
      return isStopped(server.pid) ? server : null;
    });
    await until('it is gone', () => loop.servers().every(({ pid }) => pid !== stuck.pid));
    await answers(loop.port);
  });

  it.each([
    ['it cannot begin', 1],
    ['it has ended before its watchdog has begun', 0],
  ])('starts a server again and again when %s', async (_, code) => {
    const folder = temporaryFolder();
    const busybox = findProgram('busybox', process.env) ?? '';
    symlinkSync(busybox, join(folder, 'sh'));
    const script = (name: string, line: string) =>
      writeFileSync(join(folder, name), `#!${join(folder, 'sh')}\n${line}\n`, { mode: 0o755 });
    script('iperf3', `echo >>${join(folder, 'tries')}; exit ${code}`);
    script('sleep', `[ $1 = 1 ] && exec ${busybox} sleep 0.02; exec ${busybox} sleep $1`);
    const timeout = findProgram('timeout', process.env) ?? 'timeout';
    const env = { PATH: folder, [MARK]: folder };
    const child = spawn(timeout, ['110', join(folder, 'sh'), LOOP, '600'], { stdio: 'ignore', env });
    const ended = once(child, 'exit');
    onTestFinished(async () => {
      if (child.exitCode === null) child.kill();
      await ended;
      // A nap that was just forked can lose the TERM of its watchdog; it ends by itself.
      for (const { pid } of processesWith(`${MARK}=${folder}`)) process.kill(pid, 'SIGKILL');
    });
    writeFileSync(join(folder, 'tries'), '');
    // Each try ends its watchdog when that was just forked: each may lose the first TERM.
    await until('it was tried 30 times', () => readFileSync(join(folder, 'tries')).length >= 30);
  });

  it('tries again when it cannot begin, and leaves nothing behind when it is told to end', async () => {
    const loop = await startLoop(600);
    const first = await until('a server runs', () => loop.servers()[0]);
    process.kill(first.pid, 'SIGKILL');
    await until('there is another one', () => loop.servers().some(({ pid }) => pid !== first.pid));
    loop.child.kill('SIGTERM');
    await loop.ended;
    await until('all of it is gone', () => loop.all().length === 0);
  });
});

describe('the init script for OpenWrt', () => {
  const INIT = join(PACKAGE, 'perfleet-iperf3.init');

  it('is valid for ash, as is the loop', () => {
    for (const script of [INIT, LOOP]) execFileSync('busybox', ['ash', '-n', script]);
  });

  /** What it tells procd, with a configuration of these options. */
  const told = (options: Record<string, string>): string[] => {
    const cases = Object.entries(options).map(([name, value]) => `${name}) eval "$1='${value}'" ;;`);
    const stubs = `
      config_load() { echo "load $1"; }
      config_foreach() { $1 first; }
      config_get() { case $3 in ${cases.join(' ')} *) eval "$1='$4'" ;; esac; }
      config_get_bool() { config_get "$@"; }
      procd_open_instance() { echo "open $1"; }
      procd_set_param() { echo "set $*"; }
      procd_append_param() { echo "append $*"; }
      procd_close_instance() { echo close; }
      . ${INIT}
      start_service`;
    return execFileSync('busybox', ['ash', '-c', stubs], { encoding: 'utf8' }).trim().split('\n');
  };

  it('has procd run the loop for ever, as nobody, and not at all when disabled', () => {
    const lines = told({ port: '5207' });
    expect(lines).toContain(
      'set command /usr/sbin/perfleet-iperf3-loop 900 --idle-timeout 300 --port 5207 --forceflush',
    );
    expect(lines).toEqual(expect.arrayContaining(['set respawn 3600 5 0', 'set user nobody', 'open first', 'close']));
    expect(told({ enabled: '0' })).toEqual(['load perfleet-iperf3']);
  });

  it('adds the files for authentication when they are named', () => {
    expect(told({ private_key: '/k', users: '/u' })).toContain(
      'append command --rsa-private-key-path /k --authorized-users-path /u',
    );
  });
});

describe('authentication as documented', () => {
  /** Does what the page says, in a folder of its own. */
  const prepared = () => {
    const folder = temporaryFolder();
    const script = page(DOCS).blocks.find(({ heading }) => heading === 'Keys and users')?.text ?? '';
    expect(script).toContain('openssl genrsa');
    const here = script.replaceAll('/etc/perfleet-iperf3', join(folder, 'keys'));
    execFileSync('sh', ['-e', '-c', here], { stdio: 'ignore', timeout: 100_000 });
    return (file: string) => join(folder, 'keys', file);
  };

  it('lets in who has the password, through the arguments that an agent gives iperf3, and nobody else', async () => {
    const file = prepared();
    const port = await freePort();
    const auth = ['--rsa-private-key-path', file('private.pem'), '--authorized-users-path', file('users.csv')];
    const server = start(['iperf3', '-s', '-1', '-B', HOST, '-p', String(port), ...auth]);
    const target = { host: HOST, port, username: 'perfleet', key_path: file('public.pem') };
    const args = argv(testPlan({ duration_s: 1, omit_s: 0 }), target, 1_000_000, '3.12');
    const run = (password: string) =>
      until('the server has started', () => {
        const env = { ...process.env, IPERF3_PASSWORD: password };
        const { stdout } = spawnSync('iperf3', args, { env, timeout: 100_000, encoding: 'utf8' });
        return stdout.includes('Connection refused') ? null : stdout;
      });
    expect(await run('wrong')).toContain('test authorization failed');
    const output = JSON.parse(await run(readFileSync(file('password'), 'utf8')));
    expect(output.error).toBeUndefined();
    expect(output.end.sum_received.bytes).toBeGreaterThan(0);
    // A wrong password is no test: the one-off server was still there.
    expect(await server.ended).toBe(0);
  });
});

describe('the page', () => {
  it('counts runs right', () => {
    const rows = page(DOCS).rows.filter(([first = '']) => / × \d+ s/.test(first));
    expect(rows).toHaveLength(4);
    for (const [tests = '', time, ...runs] of rows) {
      const [, count, seconds] = /^(\d) × (\d+) s/.exec(tests) ?? [];
      const test_s = Number(count) * (Number(seconds) + 1);
      expect([time, ...runs].map(Number)).toEqual([
        test_s,
        ...[1, 5, 8].map((hours) => Math.floor((hours * 3600) / (test_s + 1))),
      ]);
    }
  });

  it('and what is shipped start no server with a limit that crashes some versions', () => {
    const { blocks } = page(DOCS);
    const shipped = [UNIT, 'auth.conf', 'perfleet-iperf3-loop', 'perfleet-iperf3.init', 'perfleet-iperf3.config'];
    const texts = [
      ...blocks.map(({ text }) => text),
      ...shipped.map((name) => readFileSync(join(PACKAGE, name), 'utf8')),
    ];
    expect(texts.filter((text) => text.includes('--server-bitrate-limit'))).toEqual([]);
  });
});
