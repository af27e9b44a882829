import './ucode.ts';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, vi } from 'vitest';
import { runProgram } from '../../../../agent/hosts/openwrt/program.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { files } from '../../../helpers/ucode-on-node/files.mjs';
import { loop } from '../../../helpers/ucode-on-node/loop.mjs';
import { until } from '../../../helpers/until.ts';
import { stateFolder } from './rig.ts';
import { said } from './ucode.ts';

/** For this test, programs of these names that are scripts. */
export const withPrograms = (scripts: Record<string, string>): void => {
  const bin = join(tempFolder(), 'bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`);
};

const running = new Set<Started>();

/** Stops the agents of a test: before their broker, as that is quicker. */
export const stopAgents = async (): Promise<void> => {
  for (const agent of running) await agent.stop();
};
afterEach(stopAgents);

/** An agent in this process, as the program begins it. Ends with the test. */
export class Started {
  readonly state: string;
  readonly code: number | null;
  readonly #stdin: number;
  #ended = false;

  /** `run` takes the arguments of the program, and gives its exit code if it has not begun. */
  constructor(config: object, state = stateFolder(), run = runProgram) {
    this.state = state;
    const folder = tempFolder();
    const stdin = join(folder, 'stdin');
    execFileSync('mkfifo', [stdin]);
    this.#stdin = openSync(stdin, 'r+');
    fs.fdopen = () => files.popen(`read -r _ <'${stdin}'`);
    uloop.end = () => {
      this.#ended = true;
      loop.end();
    };
    const file = join(folder, 'agent.json');
    writeFileSync(file, JSON.stringify({ device: 'ap-12', state, ...config }));
    this.code = run(['--config', file]);
    running.add(this);
  }

  /** Ends its stdin, and waits until it has cleaned up. */
  async stop(): Promise<void> {
    if (!running.delete(this)) return;
    writeSync(this.#stdin, '\n');
    await this.ended();
    closeSync(this.#stdin);
  }

  /** Gives up one that cannot be stopped. */
  leave(): void {
    running.delete(this);
    closeSync(this.#stdin);
  }

  ended(): Promise<boolean> {
    return until('the agent has ended', () => this.#ended || said.exits.length > 0 || this.code !== null);
  }
}
