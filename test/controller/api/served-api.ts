import { onTestFinished } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { createApi } from '../../../controller/api/app.ts';
import { ApiServer } from '../../../controller/api/server.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { SmallService } from './small-service.ts';

export const TOKEN = 'correct-horse';
export const NEW_DEVICE = { device: 'ap-12', organization: 'acme', tags: ['roof'], uplink_group: 'tower-7' };

/** Serves the API of a small service over HTTP until the test is over. `clock` is what the API sees of time. */
export const servedApi = async () => {
  const service = new SmallService();
  const log = new RecordedLog();
  const clock = new ManualClock();
  const app = createApi(service, { token: TOKEN, log, clock });
  const server = new ApiServer(app, { host: '127.0.0.1', port: 0, clock: systemClock });
  const base = `http://127.0.0.1:${(await server.start()).port}`;
  onTestFinished(() => server.stop());

  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${base}${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } });
  const post = (path: string, body: unknown) => call(path, { method: 'POST', body: JSON.stringify(body) });
  return { service, log, clock, app, base, call, post };
};
