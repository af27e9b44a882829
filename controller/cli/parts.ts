import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { Settings } from '../config/settings.ts';
import { CommandFailure } from './failure.ts';
import type { Io } from './io.ts';

/** What `perfleet serve` runs. */
export interface Runnable {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Takes new settings over; comes back with what needs a restart to take effect, in words. */
  reload(settings: Settings): Promise<string[]>;
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

const missing = (what: string) => async (): Promise<never> => {
  throw new CommandFailure(`this build has no ${what}`);
};

export const realParts: Parts = {
  controller: missing('controller'),
  agent: missing('agent'),
  demo: missing('demo'),
};
