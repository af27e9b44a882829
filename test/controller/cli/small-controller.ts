import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../../broker/clock.ts';
import { createApi } from '../../../controller/api/app.ts';
import { ApiServer } from '../../../controller/api/server.ts';
import { runCli } from '../../../controller/cli/run-cli.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { SmallService } from '../api/small-service.ts';
import { CapturedIo } from './captured-io.ts';

export const TOKEN = 'correct-horse';

/** Serves a small controller over HTTP until the test is over, and runs commands against it. */
export const smallController = async (port = 0) => {
  const service = new SmallService();
  const app = createApi(service, { token: TOKEN, log: new RecordedLog(), clock: systemClock });
  const server = new ApiServer(app, { host: '127.0.0.1', port, clock: systemClock });
  const listening = await server.start();
  onTestFinished(() => server.stop());
  const url = `http://127.0.0.1:${listening.port}`;
  const env = { PERFLEET_URL: url, PERFLEET_TOKEN: TOKEN };
  const ioFor = (options: { isTTY?: boolean; env?: NodeJS.ProcessEnv; clock?: Clock } = {}) =>
    new CapturedIo({ ...options, env: { ...env, ...options.env } });

  /** Runs one command to its end. */
  const cli = async (...argv: string[]) => {
    const io = ioFor();
    const code = await runCli(argv, io);
    return { code, out: io.stdout.text, err: io.stderr.text };
  };
  return { service, server, url, port: listening.port, ioFor, cli };
};

/** Runs one command without a controller. */
export const runAlone = async (argv: string[], options: ConstructorParameters<typeof CapturedIo>[0] = {}) => {
  const io = new CapturedIo(options);
  const code = await runCli(argv, io);
  return { code, out: io.stdout.text, err: io.stderr.text };
};
