import { Hono } from 'hono';
import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import { StoreError } from '../store/errors.ts';
import { alertQuery } from './alert-query.ts';
import { ReplayOrder } from './alert-views.ts';
import { parseBody, parseQuery, refuse, reply } from './answers.ts';
import { bearerMatches } from './bearer.ts';
import { limitedBodies } from './body-limits.ts';
import { DevicesToCheck, NewDevice, NewDevices } from './device-views.ts';
import { backfillOrder } from './influx-views.ts';
import { MORE_HEADER } from './list-limit.ts';
import { runEvents } from './run-events.ts';
import { runQuery } from './run-query.ts';
import { RunOrder } from './run-views.ts';
import type { Service } from './service.ts';
import { HostKeyOrder, NewSsh, Trust } from './ssh-views.ts';
import { suppressionOrder, WhatToResume } from './suppression-orders.ts';

export interface ApiOptions {
  /** Who sends it as `Authorization: Bearer …` may do everything. */
  token: string;
  log: Log;
  clock: Clock;
}

/** The HTTP API of a controller, all of it under `/api/1`; every error is a Problem. Starts nothing. */
export const createApi = (service: Service, { token, log, clock }: ApiOptions): Hono => {
  const app = new Hono();

  app.notFound((c) =>
    refuse(c, { error: 'not-found', message: `there is nothing at ${c.req.method} ${c.req.path}`, problems: [] }),
  );
  app.onError((error, c) => {
    log.error({ method: c.req.method, path: c.req.path, error: error.stack }, 'a request failed');
    // Its message says what to do, and names nothing but the store's file.
    if (error instanceof StoreError) return refuse(c, { error: 'store', message: error.message, problems: [] });
    return refuse(c, { error: 'internal', message: "it failed: see the controller's log", problems: [] });
  });

  const api = app.basePath('/api/1');
  api.use(async (c, next) => {
    // Answers may hold credentials.
    c.header('Cache-Control', 'no-store');
    if (bearerMatches(c.req.header('authorization'), token)) return next();
    c.header('WWW-Authenticate', 'Bearer');
    const message = 'the token is missing or wrong: send "Authorization: Bearer …" with the one in http.token_file';
    return refuse(c, { error: 'unauthorized', message, problems: [] });
  });
  api.use(limitedBodies());

  api.get('/status', (c) => c.json(service.status()));

  api.get('/devices', (c) => c.json(service.devices.list()));
  api.post('/devices', async (c) => {
    const body = await parseBody(c, NewDevice);
    return body.ok ? reply(c, service.devices.add(body.value), 201) : refuse(c, body.problem);
  });
  api.post('/devices/check', async (c) => {
    const body = await parseBody(c, DevicesToCheck);
    return body.ok ? c.json(service.devices.check(body.value.devices)) : refuse(c, body.problem);
  });
  api.post('/devices/import', async (c) => {
    const body = await parseBody(c, NewDevices);
    return body.ok ? reply(c, service.devices.addAll(body.value.devices), 201) : refuse(c, body.problem);
  });
  api.get('/devices/:device', (c) => reply(c, service.devices.get(c.req.param('device'))));
  api.delete('/devices/:device', (c) => reply(c, service.devices.remove(c.req.param('device'))));

  api.put('/devices/:device/ssh', async (c) => {
    const body = await parseBody(c, NewSsh);
    return body.ok ? reply(c, service.sshSettings.set(c.req.param('device'), body.value)) : refuse(c, body.problem);
  });
  api.delete('/devices/:device/ssh', (c) => reply(c, service.sshSettings.clear(c.req.param('device'))));
  api.put('/devices/:device/host-key', async (c) => {
    const body = await parseBody(c, Trust);
    return body.ok ? reply(c, service.hostKeys.trust(c.req.param('device'), body.value)) : refuse(c, body.problem);
  });
  api.post('/host-keys', async (c) => {
    const body = await parseBody(c, HostKeyOrder);
    return body.ok ? reply(c, await service.hostKeys.fetch(body.value)) : refuse(c, body.problem);
  });

  api.get('/servers', (c) => c.json(service.servers.list()));
  api.post('/servers/:server/check', async (c) => reply(c, await service.servers.check(c.req.param('server'))));

  api.get('/suppressions', (c) => c.json(service.suppressions.list()));
  api.post('/suppressions', async (c) => {
    const body = await parseBody(c, suppressionOrder(clock.wall()));
    return body.ok ? reply(c, service.suppressions.suppress(body.value), 201) : refuse(c, body.problem);
  });
  api.delete('/suppressions', (c) => {
    const query = parseQuery(c, WhatToResume);
    return query.ok ? reply(c, service.suppressions.resume(query.value)) : refuse(c, query.problem);
  });

  api.get('/influx', (c) => reply(c, service.influx.status()));
  api.post('/influx/retry', (c) => reply(c, service.influx.retry()));
  api.post('/influx/backfill', async (c) => {
    const body = await parseBody(c, backfillOrder(clock.wall()));
    return body.ok ? reply(c, service.influx.backfill(body.value), 202) : refuse(c, body.problem);
  });
  api.get('/export', (c) => {
    const query = parseQuery(c, backfillOrder(clock.wall()));
    return query.ok ? c.json(service.influx.export(query.value)) : refuse(c, query.problem);
  });
  api.get('/alerts', async (c) => {
    const query = parseQuery(c, alertQuery);
    if (!query.ok) return refuse(c, query.problem);
    const { alerts, more } = await service.alerts.list(query.value);
    c.header(MORE_HEADER, `${more}`);
    return c.json(alerts);
  });
  api.get('/devices/:device/alerts', (c) => reply(c, service.alerts.explain(c.req.param('device'))));
  api.post('/alerts/replay', async (c) => {
    const body = await parseBody(c, ReplayOrder);
    if (!body.ok) return refuse(c, body.problem);
    return reply(c, await service.alerts.replay(body.value, () => c.req.raw.signal.aborted));
  });
  api.post('/receivers/retry', (c) => reply(c, service.receivers.retry(null)));
  api.post('/receivers/:receiver/retry', (c) => reply(c, service.receivers.retry(c.req.param('receiver'))));
  api.post('/receivers/:receiver/test', async (c) => reply(c, await service.receivers.test(c.req.param('receiver'))));

  api.get('/runs', (c) => {
    const query = parseQuery(c, runQuery(clock.wall()));
    return query.ok ? c.json(service.runs.records(query.value)) : refuse(c, query.problem);
  });
  api.post('/runs', async (c) => {
    const body = await parseBody(c, RunOrder);
    return body.ok ? reply(c, service.runs.order(body.value), 202) : refuse(c, body.problem);
  });
  api.get('/runs/:run', (c) => reply(c, service.runs.record(c.req.param('run'))));
  api.get('/runs/:run/raw', (c) => reply(c, service.runs.raw(c.req.param('run'))));
  api.delete('/runs/:run', (c) => reply(c, service.runs.cancel(c.req.param('run'))));
  api.get('/runs/:run/events', (c) => runEvents(c, c.req.param('run'), service.runs, clock, log));

  return app;
};
