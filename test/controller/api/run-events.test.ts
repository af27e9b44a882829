import { beforeEach, describe, expect, it } from 'vitest';
import { HEARTBEAT_MS } from '../../../controller/api/run-events.ts';
import { ApiServer, STOP_GRACE_MS } from '../../../controller/api/server.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';
import { plan, runRecord } from './sample-run.ts';
import { NEW_DEVICE, servedApi, TOKEN } from './served-api.ts';

let api: Awaited<ReturnType<typeof servedApi>>;

beforeEach(async () => {
  api = await servedApi();
});

const call = (path: string, init?: RequestInit) => api.call(path, init);
const post = (path: string, body: unknown) => api.post(path, body);

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
    api.service.board.tell({ run, phase: 'waiting', at, reason: 'milan-1 is leased' });
    const { next } = await open();
    expect(await next()).toBe(`data: {"run":"r-1","phase":"waiting","at":"${at}","reason":"milan-1 is leased"}\n\n`);
    api.service.board.tell({ run: 'r-other', phase: 'finished', at });
    api.service.board.tell({ run, phase: 'starting', at, server: 'milan-1', tests: [PLAN] });
    expect(await next()).toContain('"phase":"starting"');
    api.service.board.tell({ run, phase: 'running', at, server: 'milan-1', tests: [PLAN] });
    const running = {
      phase: 'running',
      at,
      server: 'milan-1',
      tests: [{ test: 'tcp-upload', duration_s: 10, omit_s: 1 }],
    };
    expect(JSON.parse((await next()).replace('data: ', ''))).toEqual({ run, ...running });
    api.service.finish(runRecord());
    expect(JSON.parse((await next()).replace('data: ', ''))).toMatchObject({ phase: 'final', record: runRecord() });
    expect(await next()).toBe('');
    expect(api.service.watchers).toBe(0);
  });

  it('of one that is over are its final word only', async () => {
    api.service.finish(runRecord());
    const { next } = await open();
    const final = { run, phase: 'final', at: new Date(api.clock.wall()).toISOString(), record: runRecord() };
    expect(JSON.parse((await next()).replace('data: ', ''))).toEqual(final);
    expect(await next()).toBe('');
  });

  it('are kept alive by a comment while nothing happens', async () => {
    const { next, leave } = await open();
    await until('somebody watches', () => api.service.watchers === 1);
    api.clock.advance(HEARTBEAT_MS);
    expect(await next()).toBe(': still here\n\n');
    api.clock.advance(HEARTBEAT_MS);
    expect(await next()).toBe(': still here\n\n');
    leave();
  });

  it('are not watched any more when the client has gone away', async () => {
    const { leave } = await open();
    await until('somebody watches', () => api.service.watchers === 1);
    leave();
    await until('nobody watches', () => api.service.watchers === 0);
  });

  it('end, with a line in the log, when the record of a final word is missing', async () => {
    const { next } = await open();
    await until('somebody watches', () => api.service.watchers === 1);
    api.service.stored.clear();
    api.service.board.tell({ run, phase: 'final', at });
    expect(await next()).toBe('');
    expect(api.log.of('error')).toMatchObject([{ fields: { run, error: 'Error: there is no run r-1' } }]);
    expect(api.service.watchers).toBe(0);
  });

  it('of an unknown run are 404', async () => {
    expect((await call('/api/1/runs/r-9/events')).status).toBe(404);
  });

  it('do not keep the server from stopping', async () => {
    const stopClock = new ManualClock();
    const stopping = new ApiServer(api.app, { host: '127.0.0.1', port: 0, clock: stopClock });
    const { port } = await stopping.start();
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`http://127.0.0.1:${port}/api/1/runs/${run}/events`, { headers });
    await until('somebody watches', () => api.service.watchers === 1);
    const stopped = stopping.stop();
    stopClock.advance(STOP_GRACE_MS);
    await stopped;
    await expect(answer.text()).rejects.toThrow();
    await until('nobody watches', () => api.service.watchers === 0);
  });
});
