import { expect, test } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { type InfluxWriter, REQUEST_LIMIT_MS, unreachable } from '../../../controller/influx/writer.ts';
import { writerV1 } from '../../../controller/influx/writer-v1.ts';
import { writerV2 } from '../../../controller/influx/writer-v2.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';
import { FarSide } from './far-side.ts';
import { oneOfEach, points, T0 } from './samples.ts';

const SECRET = 'hunter2hunter2';
const WRITERS = {
  1: (url: string, clock = systemClock) =>
    writerV1({ version: 1, url, database: 'fleet', username: 'perfleet', password: SECRET }, clock),
  2: (url: string, clock = systemClock) =>
    writerV2({ version: 2, url, organization: 'wisp', bucket: 'fleet', token: SECRET }, clock),
};
const versions = [1, 2] as const;
const open = async (version: 1 | 2): Promise<{ side: FarSide; writer: InfluxWriter }> => {
  const side = await FarSide.open();
  return { side, writer: WRITERS[version](side.url) };
};

test.each(versions)('version %i: one batch is one request, with types that InfluxDB keeps apart', async (version) => {
  const { side, writer } = await open(version);
  expect(await writer.write(oneOfEach())).toEqual({ kind: 'ok' });
  expect(side.requests).toHaveLength(1);
  const [tcp = '', , run = ''] = side.requests[0]?.lines ?? [];
  const fieldsOf = (line: string) => new Set(line.split(' ')[1]?.split(','));
  expect(tcp.split(' ')[2]).toBe(String(T0));
  expect(new Set(tcp.split(' ')[0]?.split(','))).toEqual(
    new Set(['iperf3', 'device=ap-0', 'organization=acme', 'server=milan-1', 'protocol=tcp', 'direction=upload']),
  );
  expect(fieldsOf(tcp)).toEqual(
    new Set([
      'bits_per_second=94000000',
      'bytes=117500000i',
      'seconds=10',
      'retransmits=3i',
      'rtt_ms=4',
      'cpu_device_percent=31',
      'cpu_server_percent=4',
    ]),
  );
  expect(run).toContain('duration_s=31,');
  expect(run).toContain('attempts=2i');
  expect(run).toContain('success=0i');
  expect(run).toContain('reason="no route"');
});

test('version 1 names its database, precision, user and password', async () => {
  const { side, writer } = await open(1);
  await writer.write(points(1));
  const { path, authorization } = side.requests[0] ?? {};
  expect(new URL(path ?? '', side.url).pathname).toBe('/write');
  expect(Object.fromEntries(new URL(path ?? '', side.url).searchParams)).toMatchObject({
    db: 'fleet',
    precision: 'ms',
  });
  expect(authorization).toBe(`Basic ${Buffer.from(`perfleet:${SECRET}`).toString('base64')}`);
});

test('version 1 without a user name sends none, and keeps the path of a proxy', async () => {
  const side = await FarSide.open();
  const url = `${side.url}/influx/`;
  const settings = { version: 1, url, database: 'fleet', username: null, password: null } as const;
  expect(await writerV1(settings, systemClock).write(points(1))).toEqual({ kind: 'ok' });
  expect(side.requests[0]?.path).toMatch(/^\/influx\/write\?/);
  expect(side.requests[0]?.authorization).toBe(undefined);
});

test('version 1 with a user name alone has an empty password', async () => {
  const side = await FarSide.open();
  const settings = { version: 1, url: side.url, database: 'fleet', username: 'perfleet', password: null } as const;
  await writerV1(settings, systemClock).write(points(1));
  expect(side.requests[0]?.authorization).toBe(`Basic ${Buffer.from('perfleet:').toString('base64')}`);
});

test.each(['http://influx.invalid/', 'https://influx.invalid'])(
  'version 1 finds no host at %s, and says so',
  async (url) => {
    const settings = { version: 1, url, database: 'fleet', username: null, password: null } as const;
    expect(await writerV1(settings, systemClock).write(points(1))).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining(`InfluxDB at ${new URL(url).origin} gave no answer`),
    });
  },
);

test('version 2 names its organization, bucket, precision and token', async () => {
  const { side, writer } = await open(2);
  await writer.write(points(1));
  const { path, authorization } = side.requests[0] ?? {};
  expect(path).toBe('/api/v2/write?org=wisp&bucket=fleet&precision=ms');
  expect(authorization).toBe(`Token ${SECRET}`);
});

test('version 2 sends a large batch in one request too', async () => {
  const { side, writer } = await open(2);
  expect(await writer.write(points(5000))).toEqual({ kind: 'ok' });
  expect(side.requests.map(({ lines }) => lines.length)).toEqual([5000]);
});

const VERDICTS = [
  [400, 'rejected', 'answered 400'],
  [413, 'rejected', 'answered 413'],
  [422, 'rejected', 'answered 422'],
  [401, 'retry', 'check influx.'],
  [403, 'retry', 'to write to '],
  [404, 'retry', 'create '],
  [429, 'retry', 'answered 429'],
  [302, 'retry', 'answered 302'],
] as const;

test.each(versions.flatMap((version) => VERDICTS.map((verdict) => [version, ...verdict] as const)))(
  'version %i: an answer %i means %s, and the reason says "%s"',
  async (version, status, kind, words) => {
    const { side, writer } = await open(version);
    side.answerWith(status, '{"error":"as the far side\nsays it"}');
    const outcome = await writer.write(points(2));
    expect(outcome).toMatchObject({ kind, reason: expect.stringContaining(words) });
    expect(outcome).toMatchObject({ reason: expect.stringContaining(`InfluxDB at ${side.url}`) });
    expect(outcome).toMatchObject({ reason: expect.stringContaining('as the far side says it') });
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
    expect(side.requests).toHaveLength(1);
  },
);

test.each(versions.flatMap((version) => [500, 503].map((status) => [version, status] as const)))(
  'version %i: an answer %i is tried once, to be tried again later',
  async (version, status) => {
    const { side, writer } = await open(version);
    side.answerWith(status, 'engine: cache maximum memory size exceeded');
    expect(await writer.write(points(2))).toMatchObject({ kind: 'retry' });
    side.answerWith(204);
    expect(await writer.write(points(2))).toEqual({ kind: 'ok' });
    expect(side.requests).toHaveLength(2);
  },
);

test('version 2 is not confused by an answer whose message is no text', async () => {
  const { side, writer } = await open(2);
  side.answerWith(400, '{"message":{"odd":1}}', { 'content-type': 'application/json' });
  expect(await writer.write(points(1))).toMatchObject({ kind: 'rejected' });
});

/** What somebody else's 400 may say: of Go's servers, nginx and Apache where a port wants TLS, of a proxy, and nothing. */
const NOT_INFLUXDB = [
  ['Client sent an HTTP request to an HTTPS server.\n', 'use https:// in influx.url'],
  ['<html><center>The plain HTTP request was sent to HTTPS port</center></html>', 'use https:// in influx.url'],
  ["Reason: You're speaking plain HTTP to an SSL-enabled server port.", 'use https:// in influx.url'],
  ['<html>Bad Request</html>', 'answered 400'],
  ['', 'answered 400'],
] as const;

test.each(versions.flatMap((version) => NOT_INFLUXDB.map((answer) => [version, ...answer] as const)))(
  'version %i: a 400 that says %j is not about the points: %s',
  async (version, body, words) => {
    const { side, writer } = await open(version);
    side.answerWith(400, body);
    expect(await writer.write(points(1))).toMatchObject({ kind: 'retry', reason: expect.stringContaining(words) });
    expect(await writer.check()).toMatchObject({ ok: false, reason: expect.stringContaining(words) });
  },
);

test('check takes no other complaint for a yes', async () => {
  const { side, writer } = await open(2);
  side.answerWith(400, '{"error":"bad gateway"}', { 'content-type': 'application/json' });
  expect(await writer.check()).toMatchObject({ ok: false, reason: expect.stringContaining('bad gateway') });
});

test.each(
  versions.flatMap((version) =>
    ['<html>login', '', '{"error":"database not found"}'].map((body) => [version, body] as const),
  ),
)('version %i: an answer 200 %j is no success, neither of a write nor of a check', async (version, body) => {
  const { side, writer } = await open(version);
  side.answerWith(200, body);
  expect(await writer.write(points(1))).toMatchObject({ kind: 'retry', reason: expect.stringContaining('204') });
  expect(await writer.check()).toMatchObject({ ok: false, reason: expect.stringContaining('204') });
});

test.each(versions)(
  'version %i: a closed port, and a connection that breaks, are tried again later',
  async (version) => {
    const { side, writer } = await open(version);
    side.answer = (_request, response) => response.destroy();
    expect(await writer.write(points(1))).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('socket hang up'),
    });
    await side.close();
    expect(await writer.write(points(1))).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await writer.check()).toMatchObject({ ok: false, reason: expect.stringContaining('check that it runs') });
  },
);

test.each(versions)('version %i: the password in an address is never shown', async (version) => {
  const side = await FarSide.open();
  await side.close();
  const writer = WRITERS[version](side.url.replace('://', '://root:letmein@'));
  const outcome = await writer.write(points(1));
  expect(outcome).toMatchObject({ reason: expect.stringContaining(`InfluxDB at ${side.url}`) });
  expect(JSON.stringify(outcome)).not.toContain('letmein');
});

test.each(versions)('version %i: an answer that never ends is given up after half a minute', async (version) => {
  const side = await FarSide.open();
  const clock = new ManualClock();
  side.answer = (_request, response) => response.writeHead(400, { 'content-length': '1000' }).write('begun');
  const writing = WRITERS[version](side.url, clock).write(points(1));
  await until('the request is there', () => side.requests.length === 1);
  clock.advance(REQUEST_LIMIT_MS);
  expect(await writing).toMatchObject({ kind: 'retry', reason: expect.stringContaining('the answer did not end') });
});

test.each(versions)('version %i: check says whether points would be taken, and writes none', async (version) => {
  const { side, writer } = await open(version);
  expect(await writer.check()).toEqual({ ok: true });
  side.answerWith(404, 'not found');
  expect(await writer.check()).toMatchObject({ ok: false, reason: expect.stringContaining('create') });
  for (const { lines } of side.requests) expect(lines.every((line) => line === '' || line.startsWith('#'))).toBe(true);
});

test('check takes the complaint of InfluxDB 2 about an empty batch for a yes', async () => {
  const { side, writer } = await open(2);
  side.answerWith(400, '{"code":"invalid","message":"writing requires points"}', {
    'content-type': 'application/json',
  });
  expect(await writer.check()).toEqual({ ok: true });
});

test('a name with several addresses names the error of each', () => {
  const error = new AggregateError([
    new Error('connect ECONNREFUSED ::1:8086'),
    new Error('connect ECONNREFUSED 127.0.0.1:8086'),
  ]);
  const target = { url: 'http://localhost:8086', into: 'database "fleet"', credentials: 'password_file' };
  expect(unreachable(error, target)).toEqual({
    kind: 'retry',
    reason:
      'InfluxDB at http://localhost:8086 gave no answer (Error: connect ECONNREFUSED ::1:8086,' +
      'Error: connect ECONNREFUSED 127.0.0.1:8086): check that it runs, and influx.url',
  });
});
