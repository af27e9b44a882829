import type { Controller, ControllerOptions } from '../controller.ts';
import { CommandFailure } from './failure.ts';
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

const missing = (what: string) => async (): Promise<never> => {
  throw new CommandFailure(`this build has no ${what}`);
};

export const realParts: Parts = {
  controller: async (options) => new (await import('../controller.ts')).Controller(options),
  agent: missing('agent'),
  demo: missing('demo'),
};
