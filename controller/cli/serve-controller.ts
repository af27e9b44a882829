import { pino } from 'pino';
import type { Log } from '../../broker/log.ts';
import { loadSettings } from '../config/load-settings.ts';
import { formatProblems } from '../config/problem.ts';
import type { Settings } from '../config/settings.ts';
import type { Context } from './context.ts';
import { CommandFailure, messageOf } from './failure.ts';
import type { Io } from './io.ts';
import type { Runnable } from './parts.ts';
import { VERSION } from './version.ts';

/** The settings in `file`, its warnings logged; null when it is refused, `refused` being told why. */
const settingsFrom = (file: string, io: Io, log: Log, refused: (why: string) => void): Settings | null => {
  const loaded = loadSettings(file, io.env);
  if (loaded.ok) {
    for (const warning of loaded.warnings) log.warn({ file }, warning);
    return loaded.settings;
  }
  refused(formatProblems(loaded.problems, file));
  return null;
};

/** Reads the file again at each SIGHUP, one after the other. A bad one is refused whole, and the settings in force stay. */
const reloadOnHangup = (controller: Runnable, file: string, io: Io, log: Log): (() => void) => {
  const reload = async () => {
    const settings = settingsFrom(file, io, log, (why) =>
      log.error({ file, why }, 'the configuration was refused; the one in force stays'),
    );
    if (settings === null) return;
    for (const note of await controller.reload(settings)) log.warn({ file }, note);
    log.info({ file }, 'the configuration was read again');
  };
  let reloading = Promise.resolve();
  return io.onSignal('SIGHUP', () => {
    reloading = reloading.then(reload).catch((error: unknown) => {
      log.error({ file, error: messageOf(error) }, 'the configuration could not be put in force');
    });
  });
};

/**
 * Runs a controller until SIGTERM or SIGINT; a second one kills. Throws CommandFailure when the configuration is refused, or when
 * the controller cannot start or go on; it is stopped either way.
 */
export const serveController = async ({ io, parts }: Context, file: string, logLevel: string): Promise<void> => {
  const log = pino({ level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, io.stderr);
  const settings = settingsFrom(file, io, log, (why) => {
    throw new CommandFailure(why);
  });
  if (settings === null) return;

  let end: (error: Error | null) => void = () => {};
  const ended = new Promise<Error | null>((resolve) => {
    end = resolve;
  });
  const { clock } = io;
  const options = { settings, version: VERSION, clock, random: Math.random, log, onFatal: end };
  const controller = await parts.controller(options);
  const release = [io.onSignal('SIGTERM', () => end(null)), io.onSignal('SIGINT', () => end(null))];
  const unwatchHangup = reloadOnHangup(controller, file, io, log);
  controller.start().then(() => log.info({ version: VERSION }, 'the controller is running'), end);

  const error = await ended;
  for (const one of release) one();
  log.info({}, 'stopping');
  await controller.stop();
  unwatchHangup();
  if (error !== null) throw new CommandFailure(`the controller stopped: ${messageOf(error)}`, { cause: error });
};
