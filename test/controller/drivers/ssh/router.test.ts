import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { RunResult } from '../../../../broker/contract/messages.ts';
import { readTest } from '../../../../controller/results/read-test.ts';
import { Iperf3Server } from '../../../helpers/iperf3-server.ts';
import { Lan } from '../../../helpers/lan.ts';
import { SshDevice } from '../../../helpers/ssh-device.ts';
import { plan, SshRig } from '../../../helpers/ssh-rig.ts';
import type { Kind } from '../../../helpers/ssh-server.ts';
import { until } from '../../../helpers/until.ts';

const SHORT = plan({ duration_s: 3, bitrate: 20_000_000 });

/** The guard's limit of a short test, the goodbye of iperf3, and a busy machine. */
const LIMIT_S = 25;

let lan: Lan;
let count = 0;

beforeAll(() => {
  lan = new Lan();
});
afterAll(() => lan.remove());

const readings = ({ tests }: RunResult) =>
  tests.map((test) => readTest({ ...test, elapsed_ms: test.ended_ms - test.started_ms }, SHORT));

const BOTH = ['dropbear', 'sshd'] as const;

/** The router, an iperf3 server at another address, and a driver. */
const scene = async (kind: Kind, { onTestFinished }: TestContext) => {
  count += 1;
  const number = count;
  const device = new SshDevice(lan, { name: `router-${number}`, number: 10 + number, kind });
  onTestFinished(() => device.remove());
  await device.start();
  const place = lan.add(`server-${number}`, 100 + number);
  const inside = (...command: string[]) => lan.inside(place, ...command);
  const server = await Iperf3Server.start(process.env, { host: place.address, inside });
  onTestFinished(() => server.end('SIGKILL'));
  const ssh = new SshRig(device.name, () => device.server.target(), { context: { onTestFinished } });
  ssh.server = { host: place.address, port: server.port };
  const iperf3 = () => device.processes().filter(({ name }) => name === 'iperf3');
  /** A test is under way: more was sent than it takes to begin one. */
  const begin = async () => {
    await ssh.begin('r1', 1, [SHORT]);
    const { sent } = device.segments();
    await until('it is in the middle of a test', () => device.segments().sent > sent + 300);
  };
  const ended = () => until('iperf3 has ended', () => iperf3().length === 0, LIMIT_S);
  return { device, ssh, begin, ended };
};

// They mostly wait: at the same time.
describe.concurrent('a router at an address of its own', () => {
  it.for(BOTH)('with %s is measured, and only its SSH server is left running', async (kind, context) => {
    const { device, ssh } = await scene(kind, context);
    await ssh.begin('r1', 1, [SHORT]);
    expect(readings(await ssh.result('r1'))).toMatchObject([{ ok: true }]);
    ssh.driver.accepted(device.name, 'r1', 1);
    await until('nothing else is left', () => device.processes().every(({ name }) => /^(sh|dropbear|sshd)/.test(name)));
    await until('no shell is left', () => device.processes().filter(({ name }) => /sh$/.test(name)).length === 1);
  });

  it.for(BOTH)('with %s whose link is down for a moment in mid-run is measured all the same', async (kind, context) => {
    const { device, ssh, begin } = await scene(kind, context);
    await begin();
    device.setLink('down');
    const { again } = device.segments();
    await until('packets are lost', () => device.segments().again > again);
    device.setLink('up');
    expect(readings(await ssh.result('r1', LIMIT_S))).toMatchObject([{ ok: true }]);
  });

  it('whose link goes down in mid-run ends iperf3 by itself, and that is said when it is known', async (context) => {
    const { device, ssh, begin, ended } = await scene('dropbear', context);
    await begin();
    device.setLink('down');
    await ended();
    expect(ssh.events('finished', 'r1')).toEqual([]);
    device.setLink('up');
    const result = await ssh.result('r1', LIMIT_S);
    expect(readings(result)).toMatchObject([{ ok: false, failure: { class: 'unreachable' } }]);
    await ssh.begin('r2', 2, [SHORT]);
    expect(readings(await ssh.result('r2'))).toMatchObject([{ ok: true }]);
  });

  it.for(BOTH)(
    'with %s that reboots in mid-run has nothing running when it is back, and is measured again',
    async (kind, context) => {
      const { device, ssh, begin } = await scene(kind, context);
      await begin();
      await device.powerOff();
      expect(ssh.events('finished', 'r1')).toEqual([]);
      await device.powerOn();
      const result = await ssh.result('r1', LIMIT_S);
      expect(readings(result)).toMatchObject([{ ok: false, failure: { class: 'link-lost' } }]);
      await ssh.begin('r2', 2, [SHORT]);
      expect(readings(await ssh.result('r2'))).toMatchObject([{ ok: true }]);
    },
  );

  it('whose iperf3 hangs and does not care about TERM is rid of it in time', async (context) => {
    const { device, ssh, ended } = await scene('dropbear', context);
    const script = '[ "$1" = --version ] && echo "iperf 3.12" && exit\ntrap "" TERM\nwhile :; do sleep 0.2; done';
    device.server.install(`#!${device.server.bin}/ash\n${script}\n`);
    await ssh.begin('r1', 1, [SHORT]);
    const result = await ssh.result('r1', LIMIT_S);
    await ended();
    expect(result.tests).toMatchObject([{ exit_code: 137, stdout: '' }]);
    expect(readings(result)).toMatchObject([{ ok: false, failure: { class: 'unreachable' } }]);
  });
});
