import { pino } from 'pino';
import type { Log } from '../../broker/log.ts';
import { version } from '../../broker/version.ts';
import { loadSettings } from '../config/load-settings.ts';
import { formatProblems } from '../config/problem.ts';
import type { Settings } from '../config/settings.ts';
import type { Context } from './context.ts';
import { CommandFailure, messageOf } from './failure.ts';
import type { Io } from './io.ts';
import type { Runnable } from './parts.ts';

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

/** Reads the file again at each SIGHUP. A bad one is refused whole, and the settings in force stay. */
const reloadOnHangup = (controller: Runnable, file: string, io: Io, log: Log): (() => void) =>
  io.onSignal('SIGHUP', () => {
    const settings = settingsFrom(file, io, log, (why) =>
      log.error({ file, why }, 'the configuration was refused; the one in force stays'),
    );
    if (settings === null) return;
    try {
      const sections = controller.reload(settings);
      if (sections.length > 0) log.warn({ file, sections }, 'these sections take effect after a restart');
      log.info({ file }, 'the configuration was read again');
    } catch (error) {
      log.error({ file, error: messageOf(error) }, 'the configuration could not be put in force');
    }
  });

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
  const options = { settings, version, clock, random: Math.random, log, onFatal: end };
  const controller = await parts.controller(options);
  const release = [io.onSignal('SIGTERM', () => end(null)), io.onSignal('SIGINT', () => end(null))];
  const unwatchHangup = reloadOnHangup(controller, file, io, log);
  const starting = controller
    .start()
    .then((ports) => log.info({ version, ...ports }, 'the controller is running'), end);

  const error = await ended;
  for (const one of release) one();
  log.info({}, 'stopping');
  await starting;
  await controller.stop();
  unwatchHangup();
  if (error !== null) throw new CommandFailure(`the controller stopped: ${messageOf(error)}`, { cause: error });
};
