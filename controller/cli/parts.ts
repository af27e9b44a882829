import { fileURLToPath } from 'node:url';
import { version } from '../../broker/version.ts';
import type { Controller, ControllerOptions } from '../controller.ts';
import type { Io } from './io.ts';

/** What `perfleet serve` runs. */
export type Runnable = Pick<Controller, 'start' | 'stop' | 'reload'>;

/** The large parts that some commands start: loaded when needed, so that `perfleet --help` is quick. */
export interface Parts {
  controller(options: ControllerOptions): Promise<Runnable>;
  /** `argv` without program and command. Resolves with the exit code. */
  agent(argv: string[], env: NodeJS.ProcessEnv, io: Io): Promise<number>;
  demo(options: { json: boolean }, io: Io): Promise<number>;
}

/** Calls `stop` at Ctrl-C and TERM, until the returned function is called. */
const onStopSignal = (io: Io, stop: () => void): (() => void) => {
  const release = [io.onSignal('SIGINT', stop), io.onSignal('SIGTERM', stop)];
  return () => {
    for (const one of release) one();
  };
};

/** What the demo measures: enough to see slots pass on, over in half a minute. */
const DEMO_FLEET = { devices: 4, servers: 2, duration_s: 2 };

export const realParts: Parts = {
  controller: async (options) => {
    const { Controller } = await import('../controller.ts');
    return new Controller(options);
  },
  agent: async (argv, env, io) => {
    const { runAgent } = await import('../../agent/run-agent.ts');
    let release = () => {};
    const code = await runAgent(argv, env, {
      stdout: (text) => io.stdout.write(text),
      stderr: (text) => io.stderr.write(text),
      clock: io.clock,
      random: Math.random,
      onStop: (stop) => {
        release = onStopSignal(io, stop);
      },
    });
    release();
    return code;
  },
  demo: async ({ json }, io) => {
    const { runDemo } = await import('../demo/demo.ts');
    const abort = new AbortController();
    const release = onStopSignal(io, () => abort.abort());
    const { stdout, stderr, env, clock } = io;
    // The agent's bundle lies beside the one that this is in.
    const agent = fileURLToPath(new URL('./agent.js', import.meta.url));
    try {
      const options = { ...DEMO_FLEET, json, agent, version };
      return await runDemo(options, { stdout, stderr, env, signal: abort.signal, clock, random: Math.random });
    } finally {
      release();
    }
  },
};
