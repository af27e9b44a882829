import { request } from 'node:http';
import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../../controller/api/problem.ts';
import { StoreError } from '../../../controller/store/errors.ts';
import { runRecord } from './sample-run.ts';
import { NEW_DEVICE, servedApi, TOKEN } from './served-api.ts';

let api: Awaited<ReturnType<typeof servedApi>>;

beforeEach(async () => {
  api = await servedApi();
});

const call = (path: string, init?: RequestInit) => api.call(path, init);
const post = (path: string, body: unknown) => api.post(path, body);
const problem = async (answer: Response) => Problem.parse(await answer.json());

describe('the token', () => {
  const cases: [string, Record<string, string>][] = [
    ['is missing', {}],
    ['is another one', { authorization: 'Bearer wrong' }],
    ['is a prefix of the right one', { authorization: 'Bearer correct' }],
    ['is empty', { authorization: 'Bearer ' }],
    ['comes in another scheme', { authorization: `Basic ${TOKEN}` }],
  ];
  it.each(cases)('that %s gets 401 and no answer', async (_, headers) => {
    const answer = await fetch(`${api.base}/api/1/devices`, { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answer.json()).toEqual({
      error: 'unauthorized',
      message: 'the token is missing or wrong: send "Authorization: Bearer …" with the one in http.token_file',
      problems: [],
    });
  });

  it('is asked for before anything is told about a route', async () => {
    expect((await fetch(`${api.base}/api/1/nothing`)).status).toBe(401);
  });
});

describe('the routes', () => {
  it('show how the controller is doing, in an answer that nobody caches', async () => {
    const answer = await call('/api/1/status');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual(api.service.status());
  });

  it('add a device once, show it, list it and remove it', async () => {
    const added = await post('/api/1/devices', NEW_DEVICE);
    expect(added.status).toBe(201);
    expect(await added.json()).toMatchObject({ device: 'ap-12', username: 'ap-12', password: 's3cret' });
    const again = await post('/api/1/devices', NEW_DEVICE);
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ error: 'conflict' });
    const view = { ...NEW_DEVICE, via: 'agent', online: false, agent: null, iperf3: null, last_run: null };
    const moved = { ssh: null, moved_this_month: 1_234_567_890, monthly_budget: null };
    expect(await (await call('/api/1/devices/ap-12')).json()).toEqual({ ...view, ...moved });
    expect(await (await call('/api/1/devices')).json()).toEqual([view]);
    expect(await (await call('/api/1/devices/ap-12', { method: 'DELETE' })).json()).toEqual({ device: 'ap-12' });
    expect((await call('/api/1/devices/ap-12')).status).toBe(404);
    expect((await call('/api/1/devices/ap-12', { method: 'DELETE' })).status).toBe(404);
  });

  it('fill in what a new device does not say', async () => {
    await post('/api/1/devices', { device: 'ap-1' });
    expect(api.service.list).toMatchObject([{ device: 'ap-1', organization: 'default', tags: [], uplink_group: null }]);
  });

  it('list the servers', async () => {
    expect(await (await call('/api/1/servers')).json()).toEqual(api.service.servers.list());
  });

  it('take an order for a run, show the run, and cancel it once', async () => {
    await post('/api/1/devices', NEW_DEVICE);
    const ordered = await post('/api/1/runs', { device: 'ap-12', server: 'milan-1' });
    expect([ordered.status, await ordered.json()]).toEqual([202, { run: 'r-1' }]);
    expect(api.service.orders).toEqual([{ device: 'ap-12', server: 'milan-1' }]);
    expect(await (await call('/api/1/runs/r-1')).json()).toMatchObject({ run: 'r-1', outcome: null });
    expect(await (await call('/api/1/runs/r-1', { method: 'DELETE' })).json()).toEqual({ run: 'r-1' });
    expect(await (await call('/api/1/runs/r-1')).json()).toMatchObject({ outcome: 'cancelled' });
    expect((await call('/api/1/runs/r-1', { method: 'DELETE' })).status).toBe(409);
    expect((await call('/api/1/runs/r-9')).status).toBe(404);
  });

  it('list runs by device, number and time, a time being RFC 3339 or a duration back from now', async () => {
    api.service.stored.set('r-1', runRecord());
    expect(await (await call('/api/1/runs?device=ap-12&since=24h&limit=5')).json()).toEqual([runRecord()]);
    await call('/api/1/runs?since=2026-11-22T02:00:00%2B01:00');
    await call('/api/1/runs');
    expect(api.service.filters).toEqual([
      { device: 'ap-12', since_ms: api.clock.wall() - 86_400_000, limit: 5 },
      { since_ms: Date.UTC(2026, 10, 22, 1), limit: 1000 },
      { limit: 1000 },
    ]);
  });

  it.each([
    ['GET', '/api/1/nothing'],
    ['PUT', '/api/1/devices'],
    ['GET', '/elsewhere'],
  ])('that do not exist answer %s %s with a problem', async (method, path) => {
    const answer = await call(path, { method });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({
      error: 'not-found',
      message: `there is nothing at ${method} ${path}`,
      problems: [],
    });
  });
});

describe('what is sent', () => {
  it('is told all its problems at once', async () => {
    const answer = await post('/api/1/devices', { device: 'a b', tags: ['x y'], color: 'red' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      error: 'bad-request',
      message: 'the body of the request is not as expected',
      problems: [
        'device: expected 1 to 64 letters, digits, "_" or "-"',
        'tags.0: expected 1 to 64 letters, digits, "_" or "-"',
        'body: Unrecognized key: "color"',
      ],
    });
    expect(api.service.list).toEqual([]);
  });

  it('must be JSON', async () => {
    const answer = await call('/api/1/runs', { method: 'POST', body: '{"device":' });
    expect(answer.status).toBe(400);
    expect((await problem(answer)).message).toMatch(/^the body of the request is not JSON: /);
    expect((await post('/api/1/runs', ['ap-12'])).status).toBe(400);
  });

  it('may have 64 KiB and no more, whether it says so or not', async () => {
    const big = JSON.stringify({ device: 'x'.repeat(65_536) });
    const said = await call('/api/1/devices', { method: 'POST', body: big });
    expect([said.status, (await problem(said)).error]).toEqual([413, 'too-large']);
    const chunked = await new Promise<number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}`, 'transfer-encoding': 'chunked' };
      const sending = request(`${api.base}/api/1/devices`, { method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      }).on('error', reject);
      sending.end(big);
    });
    expect(chunked).toBe(413);
  });

  it('arrives whole in chunks', async () => {
    const body = new Blob([JSON.stringify({ device: 'ap-3' })]).stream();
    const answer = await call('/api/1/devices', { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(answer.status).toBe(201);
  });

  it('as a query is told all its problems at once', async () => {
    const answer = await call('/api/1/runs?device=a%20b&since=yesterday&limit=0&colour=red');
    expect(answer.status).toBe(400);
    expect((await problem(answer)).problems).toEqual([
      'device: expected 1 to 64 letters, digits, "_" or "-"',
      'since: expected a time such as 2026-11-22T02:00:00Z, or how far back, such as 24h',
      'limit: Too small: expected number to be >=1',
      'query: Unrecognized key: "colour"',
    ]);
    expect(api.service.filters).toEqual([]);
  });
});

it('says what to do when the store cannot be written, and logs it', async () => {
  const message = 'The store /var/lib/perfleet/perfleet.db has no room left: free some disk space (disk is full)';
  api.service.devices.add = () => {
    throw new StoreError('full', message);
  };
  const answer = await post('/api/1/devices', NEW_DEVICE);
  expect(answer.status).toBe(507);
  expect(await answer.json()).toEqual({ error: 'store', message, problems: [] });
  expect(api.log.of('error')).toMatchObject([{ message: 'a request failed', fields: { path: '/api/1/devices' } }]);
});

it('tells nobody but the log what failed inside', async () => {
  api.service.servers.list = () => {
    throw new Error('disk I/O error in /var/lib/perfleet');
  };
  const answer = await call('/api/1/servers');
  expect(answer.status).toBe(500);
  expect(await answer.json()).toEqual({
    error: 'internal',
    message: "it failed: see the controller's log",
    problems: [],
  });
  expect(api.log.of('error')).toMatchObject([
    { message: 'a request failed', fields: { path: '/api/1/servers', error: expect.stringContaining('disk I/O') } },
  ]);
});

describe('what iperf3 printed in a run', () => {
  it('is shown, one entry for each attempt', async () => {
    api.service.stored.set('r-1', runRecord());
    const test = {
      test: 'tcp-upload',
      exit_code: 0,
      stdout: '{}',
      stderr: '',
      started_ms: 0,
      ended_ms: 1,
      wan_bytes: 7,
    };
    api.service.attempts = [{ token: 3, tests: [test] }];
    expect(await (await call('/api/1/runs/r-1/raw')).json()).toEqual({ run: 'r-1', attempts: api.service.attempts });
    expect((await call('/api/1/runs/r-9/raw')).status).toBe(404);
  });
});
