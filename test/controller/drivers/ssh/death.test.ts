import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { readTest } from '../../../../controller/results/read-test.ts';
import { root } from '../../../../packaging/root.mjs';
import { Iperf3Server } from '../../../helpers/iperf3-server.ts';
import { isRunning } from '../../../helpers/processes.ts';
import { Program } from '../../../helpers/program.ts';
import { Relay } from '../../../helpers/relay.ts';
import { iperf3On, onDevice } from '../../../helpers/remote-processes.ts';
import { plan, SshRig } from '../../../helpers/ssh-rig.ts';
import { SshServer } from '../../../helpers/ssh-server.ts';
import { until } from '../../../helpers/until.ts';

/** Long enough to be ended before its time. */
const LONG = [plan({ duration_s: 60 })];

const kill = (pid: number): void => {
  process.kill(pid, 'SIGKILL');
};

/** TERM, two seconds, KILL, and a busy machine. */
const SOON_S = 5;

// They mostly wait: at the same time.
describe.concurrent.each(['dropbear', 'sshd'] as const)('what runs over SSH ends, with %s on the device,', (kind) => {
  let server: SshServer;
  beforeAll(async () => {
    server = await new SshServer({ kind }).start();
  });
  afterAll(() => server.remove());

  const iperf3Server = async ({ onTestFinished }: TestContext) => {
    const iperf3 = await Iperf3Server.start(process.env);
    onTestFinished(() => iperf3.end('SIGTERM'));
    return { host: '127.0.0.1', port: iperf3.port };
  };

  /** A long run that is under way, and the pid of its iperf3. */
  const longRun = async (context: TestContext, name: string, target = () => server.target()) => {
    const ssh = new SshRig(`${kind}-${name}`, target, { context });
    ssh.server = await iperf3Server(context);
    await ssh.begin('r1', 1, LONG);
    const { pid } = await until('iperf3 runs', () => iperf3On(ssh.device)[0]);
    return { ssh, pid };
  };

  const gone = (device: string) => until('nothing of it is left', () => onDevice(device).length === 0, SOON_S);

  it('when it is cancelled, and that is said when it has ended', async (context) => {
    const { ssh, pid } = await longRun(context, 'cancel');
    ssh.driver.cancel(ssh.device, 'r1', 'by hand');
    expect(await ssh.event('declined', 'r1')).toMatchObject({ token: 1, reason: expect.stringMatching(/^cancelled:/) });
    expect(isRunning(pid)).toBe(false);
    await gone(ssh.device);
  });

  it('when the connection is cut, and that is said only when we are in again', async (context) => {
    const relay = new Relay({ host: server.host, port: server.port });
    const port = await relay.start('127.0.0.1');
    context.onTestFinished(() => relay.stop());
    const { ssh, pid } = await longRun(context, 'cut', () => server.target({ port }));
    relay.cut();
    await until('iperf3 has ended', () => !isRunning(pid), SOON_S);
    await until('it is lost', () => ssh.log.lines.some(({ message }) => /was lost/.test(message)));
    expect(ssh.events('finished', 'r1')).toEqual([]);
    relay.mend();
    const { tests } = await ssh.result('r1');
    expect(tests.map((test) => readTest(test, LONG[0] ?? null))).toMatchObject([
      {
        ok: false,
        failure: { class: 'link-lost', message: expect.stringContaining('the SSH connection to the device was lost') },
      },
    ]);
    await gone(ssh.device);
  });

  /** One that may be killed. */
  const ownServer = async ({ onTestFinished }: TestContext) => {
    const own = await new SshServer({ kind }).start();
    onTestFinished(() => own.remove());
    return own;
  };

  it('when the process that serves the connection is killed', async (context) => {
    const own = await ownServer(context);
    const { ssh, pid } = await longRun(context, 'session', () => own.target());
    own.children().forEach(kill);
    await until('iperf3 has ended', () => !isRunning(pid), SOON_S);
    await ssh.result('r1');
  });

  it('when its guard is killed', async (context) => {
    const { ssh, pid } = await longRun(context, 'guard');
    const guards = onDevice(ssh.device).filter(({ name }) => /sh$/.test(name));
    kill(Math.min(...guards.map((guard) => guard.pid)));
    const { tests } = await ssh.result('r1');
    expect(isRunning(pid)).toBe(false);
    expect(tests).toMatchObject([{ exit_code: null, stderr: expect.stringContaining('the guard of iperf3') }]);
    await gone(ssh.device);
  });

  it('when the device reboots, of which nobody says goodbye', async (context) => {
    const own = await ownServer(context);
    const { ssh, pid } = await longRun(context, 'reboot', () => own.target());
    await own.stop();
    await until('iperf3 has ended', () => !isRunning(pid), SOON_S);
    await own.start();
    expect((await ssh.result('r1')).tests).toHaveLength(1);
  });

  it('when the driver is stopped, within its bound', async (context) => {
    const { ssh, pid } = await longRun(context, 'stop');
    const begin = performance.now();
    await ssh.driver.stop();
    expect(performance.now() - begin).toBeLessThan(4000);
    expect(isRunning(pid)).toBe(false);
    await gone(ssh.device);
  });

  it('when the controller is killed, and the next one finds nothing of it', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'perfleet-'));
    context.onTestFinished(() => rmSync(folder, { recursive: true }));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const outfile = join(folder, 'driver.mjs');
    const entryPoints = [join(root, 'test/controller/drivers/ssh/driver-process.ts')];
    await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' });
    const device = `${kind}-killed`;
    const order = { type: 'prepare', device, run: 'r1', tests: LONG, lease_ms: 75_000, max_cross_traffic: null };
    const what = { device, target: server.target(), order, server: { ...(await iperf3Server(context)), auth: null } };
    writeFileSync(join(folder, 'what.json'), JSON.stringify(what));
    const controller = new Program([process.execPath, outfile, join(folder, 'what.json')], process.env);
    await controller.says(/started/);
    const { pid } = await until('iperf3 runs', () => iperf3On(device)[0]);
    await controller.end('SIGKILL');
    await until('iperf3 has ended', () => !isRunning(pid), SOON_S);
    await gone(device);

    // The next controller asks for the lease that it found, with the same start.
    const next = new SshRig(device, () => server.target(), { context, boot: 'next' });
    next.start('r1', 1, 'nonce');
    expect(await next.event('declined', 'r1')).toMatchObject({ token: 1, nonce: 'nonce', boot: 'ssh-next' });
  });

  it('before anything is answered, if an earlier session left it, also when it does not care about TERM', async ({
    onTestFinished,
  }) => {
    const device = `${kind}-left`;
    const folder = `/tmp/perfleet-ssh-${device}`;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const env = { ...process.env, PERFLEET_STATE: `${folder}/` };
    const left = spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 0.1; done'], { env, stdio: 'ignore' });
    onTestFinished(() => void left.kill('SIGKILL'));
    const other = { ...env, PERFLEET_STATE: `/tmp/perfleet-ssh-${device}2/` };
    const bystander = spawn('sleep', ['30'], { env: other, stdio: 'ignore' });
    onTestFinished(() => void bystander.kill('SIGKILL'));
    const ssh = new SshRig(device, () => server.target(), { context: { onTestFinished } });
    ssh.prepare('r1');
    await ssh.event('ready', 'r1');
    expect(left.signalCode).toBe('SIGKILL');
    expect(bystander.signalCode).toBe(null);
  });
});
