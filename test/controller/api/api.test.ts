import { request } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { createApi } from '../../../controller/api/app.ts';
import { HEARTBEAT_MS } from '../../../controller/api/run-events.ts';

import { ApiServer, STOP_GRACE_MS } from '../../../controller/api/server.ts';

import type { Service } from '../../../controller/api/service.ts';
import { Problem } from '../../../controller/api/views.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { until } from '../../helpers/until.ts';
import { plan, runRecord, SmallService } from './small-service.ts';

const TOKEN = 'correct-horse';
let service: SmallService;
let log: RecordedLog;
let clock: ManualClock;
let server: ApiServer;
let base: string;

const serve = async (answering: Service) => {
  const app = createApi(answering, { token: TOKEN, log, clock });
  const started = new ApiServer(app, { host: '127.0.0.1', port: 0, clock: systemClock });
  return { started, port: (await started.start()).port };
};

beforeEach(async () => {
  service = new SmallService();
  log = new RecordedLog();
  clock = new ManualClock();
  const { started, port } = await serve(service);
  server = started;
  base = `http://127.0.0.1:${port}`;
});

afterEach(() => server.stop());

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${base}${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } });

const problem = async (answer: Response) => Problem.parse(await answer.json());

const post = (path: string, body: unknown) => call(path, { method: 'POST', body: JSON.stringify(body) });

const NEW_DEVICE = { device: 'ap-12', organization: 'acme', tags: ['roof'], uplink_group: 'tower-7' };

describe('the token', () => {
  const cases: [string, Record<string, string>][] = [
    ['is missing', {}],
    ['is another one', { authorization: 'Bearer wrong' }],
    ['is a prefix of the right one', { authorization: 'Bearer correct' }],
    ['is empty', { authorization: 'Bearer ' }],
    ['comes in another scheme', { authorization: `Basic ${TOKEN}` }],
  ];
  it.each(cases)('that %s gets 401 and no answer', async (_, headers) => {
    const answer = await fetch(`${base}/api/1/devices`, { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answer.json()).toEqual({
      error: 'unauthorized',
      message: 'the token is missing or wrong: send "Authorization: Bearer …" with the one in http.token_file',
      problems: [],
    });
  });

  it('is asked for before anything is told about a route', async () => {
    expect((await fetch(`${base}/api/1/nothing`)).status).toBe(401);
  });
});

describe('the routes', () => {
  it('show how the controller is doing, in an answer that nobody caches', async () => {
    const answer = await call('/api/1/status');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual(service.status());
  });

  it('add a device once, show it, list it and remove it', async () => {
    const added = await post('/api/1/devices', NEW_DEVICE);
    expect(added.status).toBe(201);
    expect(await added.json()).toMatchObject({ device: 'ap-12', username: 'ap-12', password: 's3cret' });
    const again = await post('/api/1/devices', NEW_DEVICE);
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ error: 'conflict' });
    const view = { ...NEW_DEVICE, via: 'agent', online: false, agent: null, iperf3: null, last_run: null };
    expect(await (await call('/api/1/devices/ap-12')).json()).toEqual(view);
    expect(await (await call('/api/1/devices')).json()).toEqual([view]);
    expect(await (await call('/api/1/devices/ap-12', { method: 'DELETE' })).json()).toEqual({ device: 'ap-12' });
    expect((await call('/api/1/devices/ap-12')).status).toBe(404);
    expect((await call('/api/1/devices/ap-12', { method: 'DELETE' })).status).toBe(404);
  });

  it('fill in what a new device does not say', async () => {
    await post('/api/1/devices', { device: 'ap-1' });
    expect(service.list).toMatchObject([{ device: 'ap-1', organization: 'default', tags: [], uplink_group: null }]);
  });

  it('list the servers', async () => {
    expect(await (await call('/api/1/servers')).json()).toEqual(service.servers());
  });

  it('take an order for a run, show the run, and cancel it once', async () => {
    await post('/api/1/devices', NEW_DEVICE);
    const ordered = await post('/api/1/runs', { device: 'ap-12', server: 'milan-1' });
    expect([ordered.status, await ordered.json()]).toEqual([202, { run: 'r-1' }]);
    expect(service.orders).toEqual([{ device: 'ap-12', server: 'milan-1' }]);
    expect(await (await call('/api/1/runs/r-1')).json()).toMatchObject({ run: 'r-1', outcome: null });
    expect(await (await call('/api/1/runs/r-1', { method: 'DELETE' })).json()).toEqual({ run: 'r-1' });
    expect(await (await call('/api/1/runs/r-1')).json()).toMatchObject({ outcome: 'cancelled' });
    expect((await call('/api/1/runs/r-1', { method: 'DELETE' })).status).toBe(409);
    expect((await call('/api/1/runs/r-9')).status).toBe(404);
  });

  it('list runs by device, number and time, a time being RFC 3339 or a duration back from now', async () => {
    service.runs.set('r-1', runRecord());
    expect(await (await call('/api/1/runs?device=ap-12&since=24h&limit=5')).json()).toEqual([runRecord()]);
    await call('/api/1/runs?since=2026-11-22T02:00:00%2B01:00');
    await call('/api/1/runs');
    expect(service.filters).toEqual([
      { device: 'ap-12', since_ms: clock.wall() - 86_400_000, limit: 5 },
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
    expect(service.list).toEqual([]);
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
      const sending = request(`${base}/api/1/devices`, { method: 'POST', headers }, (answer) => {
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
    expect(service.filters).toEqual([]);
  });
});

it('tells nobody but the log what failed inside', async () => {
  service.servers = () => {
    throw new Error('disk I/O error in /var/lib/perfleet');
  };
  const answer = await call('/api/1/servers');
  expect(answer.status).toBe(500);
  expect(await answer.json()).toEqual({
    error: 'internal',
    message: "it failed: see the controller's log",
    problems: [],
  });
  expect(log.of('error')).toMatchObject([
    { message: 'a request failed', fields: { path: '/api/1/servers', error: expect.stringContaining('disk I/O') } },
  ]);
});

const PLAN = plan('tcp-upload', 10, 1);

describe('the events of a run', () => {
  const at = '2026-11-22T02:00:00.000Z';
  const run = 'r-1';

  beforeEach(async () => {
    await post('/api/1/devices', NEW_DEVICE);
    await post('/api/1/runs', { device: 'ap-12' });
  });

  /** Opens the events and gives a function that waits for the next chunk of text; '' at the end. */
  const open = async () => {
    const aborted = new AbortController();
    const answer = await call(`/api/1/runs/${run}/events`, { signal: aborted.signal });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    return { next: async () => (await reader?.read())?.value ?? '', leave: () => aborted.abort() };
  };

  it('begin with the last word, go on with each new one, and end after the final one with the record', async () => {
    service.board.tell({ run, phase: 'waiting', at, reason: 'milan-1 is leased' });
    const { next } = await open();
    expect(await next()).toBe(`data: {"run":"r-1","phase":"waiting","at":"${at}","reason":"milan-1 is leased"}\n\n`);
    service.board.tell({ run: 'r-other', phase: 'finished', at });
    service.board.tell({ run, phase: 'starting', at, server: 'milan-1', tests: [PLAN] });
    expect(await next()).toContain('"phase":"starting"');
    service.board.tell({ run, phase: 'running', at, server: 'milan-1', tests: [PLAN] });
    const running = {
      phase: 'running',
      at,
      server: 'milan-1',
      tests: [{ test: 'tcp-upload', duration_s: 10, omit_s: 1 }],
    };
    expect(JSON.parse((await next()).replace('data: ', ''))).toEqual({ run, ...running });
    service.finish(runRecord());
    expect(JSON.parse((await next()).replace('data: ', ''))).toMatchObject({ phase: 'final', record: runRecord() });
    expect(await next()).toBe('');
    expect(service.watchers).toBe(0);
  });

  it('of one that is over are its final word only', async () => {
    service.finish(runRecord());
    const { next } = await open();
    const final = { run, phase: 'final', at: new Date(clock.wall()).toISOString(), record: runRecord() };
    expect(JSON.parse((await next()).replace('data: ', ''))).toEqual(final);
    expect(await next()).toBe('');
  });

  it('are kept alive by a comment while nothing happens', async () => {
    const { next, leave } = await open();
    await until('somebody watches', () => service.watchers === 1);
    clock.advance(HEARTBEAT_MS);
    expect(await next()).toBe(': still here\n\n');
    clock.advance(HEARTBEAT_MS);
    expect(await next()).toBe(': still here\n\n');
    leave();
  });

  it('are not watched any more when the client has gone away', async () => {
    const { leave } = await open();
    await until('somebody watches', () => service.watchers === 1);
    leave();
    await until('nobody watches', () => service.watchers === 0);
  });

  it('end, with a line in the log, when the record of a final word is missing', async () => {
    const { next } = await open();
    await until('somebody watches', () => service.watchers === 1);
    service.runs.clear();
    service.board.tell({ run, phase: 'final', at });
    expect(await next()).toBe('');
    expect(log.of('error')).toMatchObject([{ fields: { run, error: 'Error: there is no run r-1' } }]);
    expect(service.watchers).toBe(0);
  });

  it('of an unknown run are 404', async () => {
    expect((await call('/api/1/runs/r-9/events')).status).toBe(404);
  });

  it('do not keep the server from stopping', async () => {
    const stopClock = new ManualClock();
    const app = createApi(service, { token: TOKEN, log, clock });
    const stopping = new ApiServer(app, { host: '127.0.0.1', port: 0, clock: stopClock });
    const { port } = await stopping.start();
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`http://127.0.0.1:${port}/api/1/runs/${run}/events`, { headers });
    await until('somebody watches', () => service.watchers === 1);
    const stopped = stopping.stop();
    stopClock.advance(STOP_GRACE_MS);
    await stopped;
    await expect(answer.text()).rejects.toThrow();
    await until('nobody watches', () => service.watchers === 0);
  });
});

describe('the server', () => {
  const on = (host: string, port: number) =>
    new ApiServer(createApi(service, { token: TOKEN, log, clock }), { host, port, clock }).start();

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
    const app = createApi(service, { token: TOKEN, log, clock });
    await new ApiServer(app, { host: '127.0.0.1', port: 0, clock }).stop();
  });
});
