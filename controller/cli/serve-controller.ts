import { EventEmitter, once } from 'node:events';
import { pino } from 'pino';
import type { Log } from '../../broker/log.ts';
import { version } from '../../broker/version.ts';
import { loadSettings } from '../config/load-settings.ts';
import { formatProblems } from '../config/problem.ts';
import type { Context } from './context.ts';
import { CommandFailure, messageOf } from './failure.ts';
import type { Io } from './io.ts';
import type { Runnable } from './parts.ts';

/** Reads the file again at each SIGHUP. A bad one is refused whole, and the settings in force stay. */
const reloadOnHangup = (controller: Runnable, file: string, io: Io, log: Log): (() => void) =>
  io.onSignal('SIGHUP', () => {
    const loaded = loadSettings(file, io.env);
    if (!loaded.ok) {
      const why = formatProblems(loaded.problems, file);
      log.error({ file, why }, 'the configuration was refused; the one in force stays');
      return;
    }
    for (const warning of loaded.warnings) log.warn({ file }, warning);
    try {
      for (const note of controller.reload(loaded.settings)) log.warn({ file }, note);
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
  const loaded = loadSettings(file, io.env);
  if (!loaded.ok) throw new CommandFailure(formatProblems(loaded.problems, file));
  const log = pino({ level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, io.stderr);
  for (const warning of loaded.warnings) log.warn({ file }, warning);

  const events = new EventEmitter<{ end: [Error | null] }>();
  const ended = once(events, 'end');
  const end = (error: Error | null) => void events.emit('end', error);
  const { clock } = io;
  const { settings } = loaded;
  const options = { settings, version, clock, random: Math.random, log, onFatal: end };
  const controller = await parts.controller(options);
  const release = [io.onSignal('SIGTERM', () => end(null)), io.onSignal('SIGINT', () => end(null))];
  const unwatchHangup = reloadOnHangup(controller, file, io, log);
  let started = true;
  const starting = controller.start().then(
    (ports) => log.info({ version, ...ports }, 'the controller is running'),
    (error) => {
      started = false;
      end(error);
    },
  );

  const [error] = await ended;
  for (const one of release) one();
  if (started) log.info({}, 'stopping');
  await starting;
  await controller.stop();
  unwatchHangup();
  if (error === null) return;
  const what = started ? 'the controller stopped' : 'the controller could not start';
  throw new CommandFailure(`${what}: ${messageOf(error)}`, { cause: error });
};
