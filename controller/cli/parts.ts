import { fileURLToPath } from 'node:url';
import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import { version } from '../../broker/version.ts';
import type { Settings } from '../config/settings.ts';
import type { Io } from './io.ts';

/** What `perfleet serve` runs. */
export interface Runnable {
  start(): Promise<unknown>;
  stop(): Promise<void>;
  /** Takes new settings over; comes back with what needs a restart to take effect, in words. */
  reload(settings: Settings): string[] | Promise<string[]>;
}

export interface ControllerOptions {
  settings: Settings;
  version: string;
  clock: Clock;
  random: () => number;
  log: Log;
  /** The controller can't go on and is to be stopped. */
  onFatal: (error: Error) => void;
}

/** The large parts that some commands start: loaded when needed, so that `perfleet --help` is quick. */
export interface Parts {
  controller(options: ControllerOptions): Promise<Runnable>;
  /** `argv` without program and command. Resolves with the exit code. */
  agent(argv: string[], env: NodeJS.ProcessEnv, io: Io): Promise<number>;
  demo(options: { json: boolean }, io: Io): Promise<number>;
}

/** Ctrl-C and TERM as an AbortSignal; `release` stops listening. */
const abortOnSignal = (io: Io): { signal: AbortSignal; release: () => void } => {
  const abort = new AbortController();
  const release = (['SIGINT', 'SIGTERM'] as const).map((signal) => io.onSignal(signal, () => abort.abort()));
  return {
    signal: abort.signal,
    release: () => {
      for (const one of release) one();
    },
  };
};

export const realParts: Parts = {
  controller: async (options) => {
    const { Controller } = await import('../controller.ts');
    return new Controller(options);
  },
  agent: async (argv, env, io) => {
    const { runAgent } = await import('../../agent/run-agent.ts');
    const unlisten: (() => void)[] = [];
    const code = await runAgent(argv, env, {
      stdout: (text) => io.stdout.write(text),
      stderr: (text) => io.stderr.write(text),
      clock: io.clock,
      random: Math.random,
      onStop: (stop) => unlisten.push(...(['SIGTERM', 'SIGINT'] as const).map((signal) => io.onSignal(signal, stop))),
    });
    for (const one of unlisten) one();
    return code;
  },
  demo: async ({ json }, io) => {
    const { runDemo } = await import('../demo/demo.ts');
    const { signal, release } = abortOnSignal(io);
    const { stdout, stderr, env, clock } = io;
    const agent = fileURLToPath(new URL('./agent.js', import.meta.url));
    const fleet = { devices: 4, servers: 2, duration_s: 2 };
    try {
      const options = { ...fleet, json, agent, version };
      return await runDemo(options, { stdout, stderr, env, signal, clock, random: Math.random });
    } finally {
      release();
    }
  },
};
