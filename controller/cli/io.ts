import { type Clock, systemClock } from '../../broker/clock.ts';

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Where text goes: a terminal, or a pipe or file. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number | undefined };

/** All that a command has of the world around it. */
export interface Io {
  stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  stdout: Output;
  stderr: Output;
  env: NodeJS.ProcessEnv;
  clock: Clock;
  /** Calls `handler` at each such signal instead of dying, until the returned function is called. */
  onSignal(signal: Signal, handler: () => void): () => void;
}

/** This process as an Io. A reader that goes away, as in `perfleet results | head`, is no error. */
export const processIo = (): Io => {
  const { stdin, stdout, stderr, env } = process;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    stdin,
    stdout,
    stderr,
    env,
    clock: systemClock,
    onSignal: (signal, handler) => {
      process.on(signal, handler);
      return () => process.off(signal, handler);
    },
  };
};
