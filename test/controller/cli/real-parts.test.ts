import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../../controller/cli/run-cli.ts';
import { until } from '../../helpers/until.ts';
import { CapturedIo } from './captured-io.ts';
import { configFile } from './config-file.ts';
import { runAlone } from './small-controller.ts';

const CONFIG =
  'broker: { listen: "mqtt://127.0.0.1:0" }\nhttp: { listen: "127.0.0.1:0", token_file: token }\nstore: store\n';

/** Begins a command that runs until it is stopped; `stop` gives its exit code. */
const begin = (argv: string[]) => {
  const io = new CapturedIo({ env: process.env });
  const ended = runCli(argv, io);
  const stop = () => {
    io.signal('SIGTERM');
    return ended;
  };
  onTestFinished(async () => void (await stop()));
  return { io, stop };
};

it('serve runs a controller, agent an agent that finds it, and the other commands see both', async () => {
  const config = configFile(CONFIG);
  const serve = begin(['serve', '--config', config]);
  const { http_port, mqtt_port } = await until('the controller listens', () => {
    const line = serve.io.stderr.text.split('\n').find((text) => text.includes('"http_port"'));
    return line === undefined ? null : JSON.parse(line);
  });
  const env = { PERFLEET_URL: `http://127.0.0.1:${http_port}` };
  const cli = (...argv: string[]) => runAlone([...argv, '--json', '--config', config], { env });

  const { password } = JSON.parse((await cli('device', 'add', 'ap-12')).out);
  const file = join(dirname(config), 'agent.json');
  const broker = `mqtt://127.0.0.1:${mqtt_port}`;
  writeFileSync(file, JSON.stringify({ device: 'ap-12', broker, password, state: join(dirname(config), 'agent') }));
  const agent = begin(['agent', '--config', file]);
  const online = async () => JSON.parse((await cli('device', 'list')).out)[0].online;
  await until('the agent is online', online);

  expect(await agent.stop()).toBe(0);
  await until('the agent is offline', async () => !(await online()));
  expect(await serve.stop()).toBe(0);
});

it('agent says what is wrong with its file', async () => {
  const { code, out, err } = await runAlone(['agent', '--config', '/nowhere/agent.yaml']);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain('/nowhere/agent.yaml cannot be used');
});

it('agent writes what it is asked for to stdout', async () => {
  const io = new CapturedIo();
  const { realParts } = await import('../../../controller/cli/parts.ts');
  expect(await realParts.agent(['--version'], {}, io)).toBe(0);
  expect(io.stdout.text).toBe('0.1.0\n');
});

it('demo ends at Ctrl-C, and leaves nothing behind', async () => {
  const io = new CapturedIo({ env: process.env });
  const ended = runCli(['demo'], io);
  await until('it listens to Ctrl-C', () => io.signal('SIGINT') > 0);
  expect(await ended).toBe(130);
  expect(io.stderr.text).toBe('perfleet demo: interrupted\n');
  expect(io.signal('SIGINT')).toBe(0);
});

it('demo says what to install when iperf3 is missing', async () => {
  expect(await runAlone(['demo'], { env: { PATH: '' } })).toEqual({
    code: 1,
    out: '',
    err: 'perfleet demo: iperf3 is not on the PATH. Install it: sudo apt-get install -y iperf3\n',
  });
});
