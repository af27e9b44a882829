import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TestOutput } from '../../../../broker/contract/messages.ts';
import { folderOf } from '../../../../controller/drivers/ssh/remote-scripts.ts';
import { readTest } from '../../../../controller/results/read-test.ts';
import { canMount, fillDisk, mountSmallDisk } from '../../../helpers/mount.ts';
import { onDevice } from '../../../helpers/remote-processes.ts';
import { plan, SshRig } from '../../../helpers/ssh-rig.ts';
import { SshServer } from '../../../helpers/ssh-server.ts';
import { until } from '../../../helpers/until.ts';

/** An iperf3 that knows its version and otherwise does this. */
const fake = (script: string): string =>
  `#!/bin/sh\n[ "$1" = --version ] && echo "iperf 3.12 (cJSON 1.7.15)" && exit\n${script}\n`;

/** What is stored of a test. */
const reading = (test: TestOutput | undefined) => {
  if (test === undefined) throw new Error('there is no test');
  return readTest({ ...test, elapsed_ms: test.ended_ms - test.started_ms }, plan());
};

describe('with trouble on the device,', () => {
  let server: SshServer;
  let count = 0;
  beforeAll(async () => {
    server = await new SshServer().start();
  });
  afterAll(() => server.remove());

  const rig = (iperf3: string | null) => {
    server.install(iperf3);
    return new SshRig(`trouble-${++count}`, () => server.target());
  };
  const gone = (device: string) => until('nothing of it is left', () => onDevice(device).length === 0, 5);

  it('a run is declined without iperf3, and it is said how to install it', async () => {
    const ssh = rig(null);
    server.uninstall();
    ssh.prepare('r1');
    const { reason } = await ssh.event('declined', 'r1');
    expect(reason).toMatch(/^iperf3-missing: .*opkg install iperf3/);
  });

  it('a run is declined with an iperf3 that does not even say its version, and that is not left behind', async () => {
    const ssh = rig('#!/bin/sh\nexec sleep 60\n');
    ssh.prepare('r1');
    expect((await ssh.event('declined', 'r1')).reason).toMatch(
      /^iperf3-missing: .*iperf3 --version took longer than 3 s/,
    );
    await gone(ssh.device);
  });

  it('a name is not resolved when its DNS is silent, and the ping that waits for it is not left behind', async () => {
    const own = await new SshServer().start();
    onTestFinished(() => own.remove());
    rmSync(`${own.bin}/ping`);
    writeFileSync(`${own.bin}/ping`, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    const ssh = new SshRig(`trouble-${++count}`, () => own.target());
    ssh.server = { host: 'silent.invalid', port: 5201 };
    ssh.prepare('r1', [plan()], null, 1);
    expect((await ssh.event('declined', 'r1')).reason).toMatch(
      /^unresolved: no address for silent.invalid: asking for it took longer than 3 s/,
    );
    expect(ssh.log.of('warn')).toEqual([]);
    await gone(ssh.device);
  });

  it('an iperf3 that crashes fails as `local`, in its own words', async () => {
    const ssh = rig(fake('echo "iperf3: symbol not found" >&2; exit 127'));
    await ssh.begin('r1', 1);
    const { tests } = await ssh.result('r1');
    expect(tests).toMatchObject([{ exit_code: 127, stdout: '', stderr: 'iperf3: symbol not found\n' }]);
    expect(reading(tests[0])).toMatchObject({
      ok: false,
      failure: { class: 'local' },
    });
  });

  it('an iperf3 that hangs is ended by the kill timer', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await until('it listens', () => silent.listening);
    const ssh = rig(null);
    const address = silent.address();
    ssh.server = { host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
    await ssh.begin('r1', 1);
    const { tests } = await ssh.result('r1');
    expect(tests[0]?.ended_ms).toBeGreaterThan(7900);
    expect(tests[0]?.ended_ms).toBeLessThan(12_000);
    expect(reading(tests[0])).toMatchObject({
      ok: false,
      failure: { class: 'unreachable' },
    });
    await gone(ssh.device);
  });

  it('an iperf3 that prints 20 MB is ended, and little of it is kept', async () => {
    const ssh = rig(
      fake('i=0; while [ $i -lt 20 ]; do cat "$0.flood"; i=$((i+1)); done; echo done >"$0.end"; exec sleep 60'),
    );
    writeFileSync(`${server.bin}/iperf3.flood`, 'x'.repeat(1 << 20));
    const before = process.memoryUsage().rss;
    await ssh.begin('r1', 1);
    const { tests } = await ssh.result('r1');
    expect(process.memoryUsage().rss - before).toBeLessThan(40 << 20);
    expect(tests[0]?.stdout.length).toBe(512 * 1024);
    expect(tests[0]?.stderr).toMatch(/it printed more than 512 KiB$/);
    expect(reading(tests[0])).toMatchObject({
      ok: false,
      failure: { class: 'malformed' },
    });
    await gone(ssh.device);
  });

  it('a name that has no address is said on deck, and the traffic of the WAN is looked at', async () => {
    const ssh = rig(null);
    ssh.server = { host: 'nowhere.invalid', port: 5201 };
    ssh.prepare('r1');
    expect((await ssh.event('declined', 'r1')).reason).toMatch(/^unresolved: no address for nowhere.invalid/);
    ssh.server = { host: 'localhost', port: 5201 };
    ssh.prepare('r2', [plan()], null, 1_000_000_000_000);
    await ssh.event('ready', 'r2');
  });

  describe.skipIf(!canMount)('a full disk', () => {
    /** A device whose folder is on a disk of its own, mounted before its server begins: that does not see what comes later. */
    const deviceWithDisk = async () => {
      const own = new SshServer();
      // First, as it is the last to clear up: a disk that is mounted cannot be removed.
      const ssh = new SshRig(`trouble-${++count}`, () => own.target());
      const disk = folderOf(ssh.device);
      mkdirSync(disk, { mode: 0o700, recursive: true });
      mountSmallDisk(disk, '8k');
      onTestFinished(() => own.remove());
      await own.start();
      return { disk, ssh };
    };

    it('is said on deck', async () => {
      const { disk, ssh } = await deviceWithDisk();
      fillDisk(disk);
      ssh.prepare('r1');
      expect((await ssh.event('declined', 'r1')).reason).toMatch(/^ssh-failed: (.|\n)*cannot be written/);
    });

    it('fails the run as `local` when it is full only then', async () => {
      const { disk, ssh } = await deviceWithDisk();
      ssh.prepare('r1');
      await ssh.event('ready', 'r1');
      fillDisk(disk);
      ssh.start('r1', 1);
      const [test] = (await ssh.result('r1')).tests;
      expect(test?.stderr).toMatch(/No space left/i);
      expect(reading(test)).toMatchObject({ ok: false, failure: { class: 'local' } });
    });
  });

  it('a folder of somebody else is not used', async () => {
    const ssh = rig(null);
    const folder = `/tmp/perfleet-ssh-${ssh.device}`;
    mkdirSync(folder, { recursive: true });
    spawnSync('chown', ['nobody', folder]);
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    ssh.prepare('r1');
    expect((await ssh.event('declined', 'r1')).reason).toMatch(/^ssh-failed: .*not ours/);
  });
});
