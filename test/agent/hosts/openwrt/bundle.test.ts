import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProgram } from '../../../../controller/demo/find-program.ts';
import { bundleOpenwrt } from '../../../../packaging/build/build.mjs';
import { root } from '../../../../packaging/root.mjs';
import { processesWith } from '../../../helpers/processes.ts';
import { Program } from '../../../helpers/program.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { until } from '../../../helpers/until.ts';
import { World } from '../node/world.ts';

/** A real ucode where there is one: `UCODE=` names it, or it is on the PATH. */
const real = process.env['UCODE'] ?? findProgram('ucode', process.env);
const interpreter = real ?? join(root, 'test/helpers/ucode-on-node/run.mjs');

const world = new World();
beforeAll(() => world.open());
afterAll(() => world.close());

it(`perfleet-agent.uc goes online, runs a test and stops in order under ${real ?? 'Node.js, which stands in for ucode'}`, async () => {
  const folder = tempFolder();
  bundleOpenwrt(folder);
  const state = join(folder, 'state');
  writeFileSync(join(folder, 'agent.json'), JSON.stringify({ device: 'ap-12', broker: world.url, state }));
  const env = { ...process.env, UCODE: interpreter, PERFLEET_AGENT: join(folder, 'perfleet-agent.uc') };
  const command = ['/bin/sh', join(folder, 'perfleet-agent'), '--config', join(folder, 'agent.json')];
  const agent = new Program(command, env);
  try {
    await world.begin('r-1', 7, 1);
    const result = await until('there is a result', () => world.results()[0]);
    expect(result).toMatchObject({ run: 'r-1', token: 7, tests: [{ test: 'tcp-upload', exit_code: 0 }] });
    expect(JSON.parse(result.tests[0]?.stdout ?? '')).toHaveProperty('end.sum_sent');
    expect(world.status()).toMatchObject({ host: 'openwrt', agent: '0.1.0', online: true });
    await world.send({ type: 'accepted', run: 'r-1', token: 7 });
    await agent.says(/connected to the broker/);
  } finally {
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
  }
  await until('it says that it is offline', () => world.status()?.online === false);
  expect(agent.stderr).toMatch(/run r-1 finished/);
  expect(processesWith(`PERFLEET_STATE=${state}`)).toEqual([]);
});

it(`perfleet-agent.uc says what is wrong, and ends with the exit codes of a command, under ${real ?? 'Node.js'}`, async () => {
  const folder = tempFolder();
  bundleOpenwrt(folder);
  const env = { ...process.env, UCODE: interpreter, PERFLEET_AGENT: join(folder, 'perfleet-agent.uc') };
  const run = async (...args: string[]) => {
    const program = new Program(['/bin/sh', join(folder, 'perfleet-agent'), ...args], env);
    const { code } = await program.ended;
    return { code, stdout: program.stdout, stderr: program.stderr };
  };
  expect(await run('--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  expect(await run('--help')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: perfleet-agent/) });
  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Usage: perfleet-agent/) });
  expect(await run('--config', '/nowhere')).toMatchObject({ code: 1, stderr: expect.stringMatching('cannot be read') });
});
