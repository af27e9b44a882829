import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Parts, type Runnable, realParts } from '../../../controller/cli/parts.ts';
import { runCli } from '../../../controller/cli/run-cli.ts';
import type { Settings } from '../../../controller/config/settings.ts';
import type { ControllerOptions } from '../../../controller/controller.ts';
import { until } from '../../helpers/until.ts';
import { CapturedIo } from './captured-io.ts';
import { configFile } from './config-file.ts';

const GOOD = 'http: { token_file: token }\nservers:\n  milan-1: { host: iperf1.example.net }\n';

/** What `serve` runs, as small as can be: it notes what is done to it. */
class SmallController implements Runnable {
  readonly options: ControllerOptions;
  readonly done: string[] = [];
  readonly reloads: Settings[] = [];
  /** What `reload` answers. */
  notes: string[] = [];
  startError: Error | null = null;
  reloadError: Error | null = null;

  constructor(options: ControllerOptions) {
    this.options = options;
  }

  async start(): Promise<{ http_port: number; mqtt_port: number | null }> {
    this.done.push('start');
    if (this.startError !== null) throw this.startError;
    return { http_port: 8080, mqtt_port: 1883 };
  }

  async stop(): Promise<void> {
    this.done.push('stop');
  }

  reload(settings: Settings): string[] {
    if (this.reloadError !== null) throw this.reloadError;
    this.reloads.push(settings);
    return this.notes;
  }
}

/** Begins `perfleet serve`; `controller` is there once it is constructed. */
const serve = (yaml: string, prepare: (controller: SmallController) => void = () => {}, argv: string[] = []) => {
  const io = new CapturedIo();
  const file = configFile(yaml);
  const made: SmallController[] = [];
  const parts: Parts = {
    ...realParts,
    controller: async (options) => {
      const controller = new SmallController(options);
      prepare(controller);
      made.push(controller);
      return controller;
    },
  };
  const ended = runCli(['serve', '--config', file, ...argv], io, parts);
  const log = () => io.stderr.text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const running = async () => {
    await until('it runs', () => log().some(({ msg }) => msg === 'the controller is running'));
    return until('it is made', () => made[0]);
  };
  return { io, file, ended, log, running, made };
};

describe('serve', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'runs the controller until %s, then stops it and exits with 0',
    async (signal) => {
      const { io, ended, running, log } = serve(GOOD);
      const controller = await running();
      expect(controller.options.settings.servers.has('milan-1')).toBe(true);
      expect(controller.options.version).toBe('0.1.0');
      expect(io.signal(signal)).toBe(1);
      expect(await ended).toBe(0);
      expect(controller.done).toEqual(['start', 'stop']);
      expect(log()).toMatchObject([
        { level: 30, version: '0.1.0', http_port: 8080, mqtt_port: 1883, msg: 'the controller is running' },
        { level: 30, msg: 'stopping' },
      ]);
      expect(io.stdout.text).toBe('');
    },
  );

  it('lets the second signal through, which kills', async () => {
    const { io, ended, running } = serve(GOOD);
    await running();
    io.signal('SIGINT');
    await until('the first one is taken', () => io.signal('SIGINT') === 0);
    expect(await ended).toBe(0);
  });

  it('starts nothing with a bad configuration', async () => {
    const { io, ended, made } = serve('servers: 7\n');
    expect(await ended).toBe(1);
    expect(io.stderr.text).toMatch(/^perfleet: .* was refused\n/);
    expect(made).toEqual([]);
  });

  it('stops what has started, says why and exits with 1 when the controller cannot start', async () => {
    const { io, ended, made, log } = serve(GOOD, (controller) => {
      controller.startError = new Error('the store is used by another controller');
    });
    expect(await ended).toBe(1);
    expect(made[0]?.done).toEqual(['start', 'stop']);
    expect(io.stderr.text).toBe('perfleet: the controller could not start: the store is used by another controller\n');
    expect(log()).toEqual([]);
  });

  it('does the same when the controller cannot go on', async () => {
    const { io, ended, running } = serve(GOOD);
    const controller = await running();
    controller.options.onFatal(new Error('the disk is full'));
    expect(await ended).toBe(1);
    expect(controller.done).toEqual(['start', 'stop']);
    expect(io.stderr.text).toContain('perfleet: the controller stopped: the disk is full\n');
  });

  it('logs from the level that is asked for', async () => {
    const { io, ended, log, made } = serve(GOOD, () => {}, ['--log-level', 'error']);
    const controller = await until('it is made', () => made[0]);
    controller.options.log.warn({}, 'a warning');
    controller.options.log.error({ server: 'milan-1' }, 'an error');
    await until('it listens to signals', () => io.signal('SIGTERM') > 0);
    expect(await ended).toBe(0);
    expect(log()).toMatchObject([{ level: 50, server: 'milan-1', msg: 'an error' }]);
  });
});

describe('SIGHUP', () => {
  it('puts a good configuration in force, and logs what needs a restart', async () => {
    const { io, file, ended, log, running } = serve(GOOD);
    const controller = await running();
    controller.notes = ['http has changed: that takes effect later'];
    writeFileSync(file, `${GOOD}  milan-2: { host: iperf2.example.net }\n`);
    io.signal('SIGHUP');
    await until('it is read', () => log().some(({ msg }) => msg === 'the configuration was read again'));
    expect([...(controller.reloads[0]?.servers.keys() ?? [])]).toEqual(['milan-1', 'milan-2']);
    expect(log()).toContainEqual(
      expect.objectContaining({ level: 40, msg: 'http has changed: that takes effect later' }),
    );
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('logs the warnings of a good one', async () => {
    const { io, file, ended, log, running } = serve(GOOD);
    await running();
    const alert = '{ name: slow, metric: tcp.download.bits_per_second, below: 20M }';
    writeFileSync(file, `${GOOD}alerts: [${alert}]\n`);
    io.signal('SIGHUP');
    await until('it is read', () => log().some(({ msg }) => msg === 'the configuration was read again'));
    expect(log().filter(({ level }) => level === 40)).toMatchObject([
      { file, msg: 'alerts: nobody is told when slow fires: name receivers in notify, or under receivers' },
    ]);
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('refuses a bad one whole: its problems are logged, and the one in force stays', async () => {
    const { io, file, ended, log, running } = serve(GOOD);
    const controller = await running();
    writeFileSync(file, `${GOOD}color: red\n`);
    io.signal('SIGHUP');
    const line = await until('it is refused', () => log().find(({ level }) => level === 50));
    expect(line).toMatchObject({ msg: 'the configuration was refused; the one in force stays', file });
    expect(line.why).toContain('line 4, color');
    expect(controller.reloads).toEqual([]);
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('does not end a controller that fails to take a configuration over', async () => {
    const { io, ended, log, running } = serve(GOOD);
    const controller = await running();
    controller.reloadError = new Error('no memory');
    io.signal('SIGHUP');
    await until('it is logged', () => log().some(({ error }) => error === 'no memory'));
    controller.reloadError = null;
    io.signal('SIGHUP');
    await until('the next one is taken over', () => controller.reloads.length === 1);
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
  });
});

it('warnings of the configuration are logged', async () => {
  const alerts = 'alerts:\n  - { name: slow, metric: tcp.download.bits_per_second, below: 20M }\n';
  const { io, ended, log, running } = serve(GOOD + alerts);
  await running();
  expect(log()[0]).toMatchObject({
    level: 40,
    msg: 'alerts: nobody is told when slow fires: name receivers in notify, or under receivers',
  });
  io.signal('SIGTERM');
  await ended;
});

describe('agent and demo', () => {
  it('get their arguments and give their exit code', async () => {
    const io = new CapturedIo({ env: { HOME: '/root' } });
    const calls: unknown[] = [];
    const parts: Parts = {
      ...realParts,
      agent: async (argv, env, given) => {
        calls.push(argv, env, given);
        return 3;
      },
      demo: async (options, given) => {
        calls.push(options, given);
        return 0;
      },
    };
    expect(await runCli(['agent', '--config', '/etc/perfleet/agent.yaml'], io, parts)).toBe(3);
    expect(await runCli(['demo'], io, parts)).toBe(0);
    expect(await runCli(['demo', '--json'], io, parts)).toBe(0);
    expect(calls).toEqual([
      ['--config', '/etc/perfleet/agent.yaml'],
      io.env,
      io,
      { json: false },
      io,
      { json: true },
      io,
    ]);
  });

  it('let a defect through, with its stack', async () => {
    const parts: Parts = {
      ...realParts,
      demo: async () => {
        throw new TypeError('a defect');
      },
    };
    await expect(runCli(['demo'], new CapturedIo(), parts)).rejects.toThrow('a defect');
  });
});
