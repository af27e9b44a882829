import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installWitness, readWitness, slotUse, usedShare } from '../../../controller/demo/witness.ts';
import { temporaryFolder } from '../../helpers/controller-fixture.ts';
import { until } from '../../helpers/until.ts';

/** A witness over a program that says what it was told, and ends when its stdin-less life of 0.3 s is over. */
const witnessOf = (script: string) => {
  const folder = temporaryFolder();
  const real = join(folder, 'real');
  writeFileSync(real, `#!/bin/sh\n${script}\n`);
  chmodSync(real, 0o755);
  const env = installWitness(folder, real, process.env);
  const run = (...args: string[]) => spawn('iperf3', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return { folder, run };
};

describe('the witness', () => {
  it('passes arguments, output and exit code on, and writes down spawn and exit', async () => {
    const { folder, run } = witnessOf('echo "$@"; exit 7');
    const child = run('-c', 'host', '-p', '5202', '-J');
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    expect((await once(child, 'close'))[0]).toBe(7);
    expect(out).toBe('-c host -p 5202 -J\n');
    expect(readWitness(folder).map(({ what, server }) => [what, server])).toEqual([
      ['spawn', 'host:5202'],
      ['exit', 'host:5202'],
    ]);
  });

  it('refuses a second client on the same server, and lets one on another server be', async () => {
    const { folder, run } = witnessOf('sleep 0.5');
    const first = run('-c', 'host', '-p', '5201');
    await until('the first has spawned', () => readWitness(folder).length === 1);
    const [second, other] = [run('-c', 'host'), run('-c', 'host', '-p', '5202')];
    expect((await once(second, 'exit'))[0]).toBe(99);
    expect((await once(other, 'exit'))[0]).toBe(0);
    if (first.exitCode === null) await once(first, 'exit');
    expect(slotUse(readWitness(folder)).refused).toBe(1);
  });

  it('does not stand in the way of a call without a server, such as --version', async () => {
    const { folder, run } = witnessOf('exit 0');
    expect((await once(run('--version'), 'exit'))[0]).toBe(0);
    expect(readWitness(folder)).toEqual([]);
  });

  it('passes TERM on', async () => {
    const { folder, run } = witnessOf(
      'trap "exit 3" TERM; : >"$WITNESS_FOLDER/ready"; for _ in $(seq 200); do sleep 0.05; done',
    );
    const child = run('-c', 'host');
    await until('it is ready', () => existsSync(join(folder, 'ready')));
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(3);
  });
});

it('slot use adds up what was busy, and the gaps between clients of one server', () => {
  const line = (what: 'spawn' | 'exit' | 'refused', server: string, at_ms: number) => ({ what, server, at_ms });
  expect(
    slotUse([
      line('spawn', 'a:1', 1000),
      line('spawn', 'b:1', 1500),
      line('exit', 'a:1', 3000),
      line('refused', 'b:1', 3001),
      line('spawn', 'a:1', 3010),
      line('exit', 'b:1', 3500),
      line('exit', 'a:1', 5010),
      line('exit', 'c:1', 5011),
    ]),
  ).toEqual({ busy_ms: 6000, gaps_ms: [10], last_exit_ms: 5011, refused: 1 });
});

it('the share of use counts from the order of the runs, on all servers', () => {
  const use = { busy_ms: 6000, gaps_ms: [], last_exit_ms: 5000, refused: 0 };
  expect(usedShare(use, 1000, 2)).toEqual({ makespan_s: 4, slot_use: 0.75 });
});
