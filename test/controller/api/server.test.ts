import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createApi } from '../../../controller/api/app.ts';
import { ApiServer } from '../../../controller/api/server.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { until } from '../../helpers/until.ts';
import { SmallService } from './small-service.ts';

const clock = new ManualClock();
const app = createApi(new SmallService(), { token: 'correct-horse', log: new RecordedLog(), clock });

describe('the server', () => {
  const on = (host: string, port: number) => new ApiServer(app, { host, port, clock }).start();

  it('says what to do when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await until('it listens', () => other.listening);
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(on('127.0.0.1', port)).rejects.toThrow(
      `the HTTP API cannot listen on 127.0.0.1:${port}: the port is in use. Stop the other program, or change http.listen`,
    );
    other.close();
  });

  it('gives the reason of the system for what is not foreseen', async () => {
    await expect(on('host.invalid', 8080)).rejects.toThrow(
      /^the HTTP API cannot listen on host\.invalid:8080: .*host\.invalid/,
    );
  });

  it('stops at once when it never started', async () => {
    await new ApiServer(app, { host: '127.0.0.1', port: 0, clock }).stop();
  });
});
