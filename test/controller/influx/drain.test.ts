import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { OutboxDrain } from '../../../controller/influx/drain.ts';
import type { Point } from '../../../controller/influx/points.ts';
import { writerV2 } from '../../../controller/influx/writer-v2.ts';
import { Database } from '../../../controller/store/database.ts';
import { Outbox } from '../../../controller/store/outbox.ts';
import { migrate } from '../../../controller/store/schema.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { FarSide, type Request } from './far-side.ts';
import { points } from './samples.ts';

const TOKEN = 'hunter2hunter2';

class RecordingClock extends ManualClock {
  readonly waits: number[] = [];
  override after(ms: number, callback: () => void): () => void {
    this.waits.push(ms);
    return super.after(ms, callback);
  }
}

/** A drain with an outbox on disk, a far side, and a clock that stands still. With `random` 1 waits are at their longest. */
const setUp = async (first: Point[] = [], random = () => 1) => {
  const database = Database.open(join(tempFolder(), 'a.db'));
  migrate(database);
  const outbox = new Outbox(database);
  const add = (batch: Point[]) => database.transaction(() => outbox.add(batch));
  add(first);
  const side = await FarSide.open();
  const clock = new RecordingClock();
  const log: string[] = [];
  const writer = writerV2({ version: 2, url: side.url, organization: 'wisp', bucket: 'b', token: TOKEN }, systemClock);
  const drain = new OutboxDrain({
    outbox,
    writer,
    clock,
    random,
    log: { info: (message) => log.push(message), warn: (message) => log.push(message) },
  });
  onTestFinished(async () => {
    await drain.stop();
    database.close();
  });
  return { database, outbox, add, side, clock, drain, log };
};
const devicesOf = (request: Request | undefined) => request?.lines.map((line) => line.match(/device=([^,]+)/)?.[1]);

test('nothing is sent before start, everything after it, oldest first in batches of 1,000', async () => {
  const { outbox, side, drain, clock } = await setUp(points(2500));
  expect(drain.status()).toEqual({ waiting: 2500, rejected: 0, last_error: null, last_success_ms: null });
  expect(side.requests).toHaveLength(0);
  drain.start();
  drain.start();
  await until('the outbox is empty', () => outbox.counts().waiting === 0);
  expect(side.requests.map(({ lines }) => lines.length)).toEqual([1000, 1000, 500]);
  expect(side.requests.flatMap(devicesOf)).toEqual(Array.from({ length: 2500 }, (_, index) => `ap-${index}`));
  expect(drain.status()).toEqual({ waiting: 0, rejected: 0, last_error: null, last_success_ms: clock.wall() });
});

test('rows that arrive later are sent when it is told of them, also while a batch is under way', async () => {
  const { add, side, drain } = await setUp();
  drain.start();
  add(points(1, { device: 'first' }));
  side.answer = (_request, response) => {
    add(points(1, { device: 'second' }));
    drain.kick();
    side.answerWith(204);
    response.writeHead(204).end();
  };
  drain.kick();
  await until('both are sent', () => side.requests.length === 2);
  expect(side.requests.map(devicesOf)).toEqual([['first'], ['second']]);
});

test('a failure is tried again after 1 s, then twice as long, up to a minute; it is logged once, and so is its end', async () => {
  const { outbox, add, side, drain, clock, log } = await setUp(points(1));
  side.answerWith(503, 'starting up');
  drain.start();
  const waits = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
  for (const [index, wait_ms] of waits.entries()) {
    await until('it waits', () => clock.waits.length === index + 1);
    drain.kick();
    clock.advance(wait_ms - 1);
    expect(side.requests).toHaveLength(index + 1);
    if (index === waits.length - 1) side.answerWith(204);
    clock.advance(1);
  }
  await until('the outbox is empty', () => outbox.counts().waiting === 0);
  expect(clock.waits).toEqual(waits);
  const waiting = expect.stringMatching(/^Points wait for InfluxDB, trying again: .* answered 503 /);
  expect(log).toEqual([waiting, 'Points flow to InfluxDB again']);

  side.answerWith(503, 'starting up');
  add(points(1));
  drain.kick();
  await until('it waits', () => clock.waits.length === waits.length + 1);
  expect(clock.waits.at(-1)).toBe(1000);
  expect(log).toEqual([waiting, 'Points flow to InfluxDB again', waiting]);
});

test('waits are spread, so that many controllers do not come back at the same moment', async () => {
  const { drain, clock, side } = await setUp(points(1), () => 0);
  side.answerWith(503);
  drain.start();
  await until('it waits', () => clock.waits.length === 1);
  expect(clock.waits).toEqual([500]);
});

test('one bad point is set aside, and all others arrive', async () => {
  const all = [...points(700), ...points(1, { device: 'bad' }), ...points(1300, { from: 700 })];
  const { outbox, side, drain, log } = await setUp(all);
  const taken = new Set<string>();
  side.answer = (request, response) => {
    if (request.lines.some((line) => line.includes('device=bad')))
      response.writeHead(422).end('{"message":"field type conflict"}');
    else {
      for (const line of request.lines) taken.add(line);
      response.writeHead(204).end();
    }
  };
  drain.start();
  await until('the outbox is empty', () => outbox.counts().waiting === 0);
  expect(taken.size).toBe(2000);
  expect(outbox.rejected(9)).toMatchObject([{ error: expect.stringContaining('field type conflict') }]);
  expect(JSON.parse(outbox.rejected(1)[0]?.point ?? '')).toMatchObject({ tags: { device: 'bad' } });
  expect(side.requests.length).toBeLessThan(40);
  expect(log).toEqual([expect.stringContaining('InfluxDB refuses a point, it was set aside: ')]);
  expect(drain.status()).toMatchObject({ waiting: 0, rejected: 1, last_error: null });
});

test('many bad points in a row cost about one request each, and one line in the log', async () => {
  const { outbox, side, drain, log } = await setUp([...points(50, { device: 'bad' }), ...points(10)]);
  side.answer = (request, response) =>
    response.writeHead(request.lines.some((line) => line.includes('device=bad')) ? 400 : 204).end('{"error":"bad"}');
  drain.start();
  await until('the outbox is empty', () => outbox.counts().waiting === 0);
  expect(outbox.counts().rejected).toBe(50);
  expect(side.requests.length).toBeLessThan(70);
  expect(log).toHaveLength(1);
});

test('a store that fails is an error like any other: it is told, and tried again', async () => {
  const { database, side, drain, clock } = await setUp(points(1));
  database.exec('PRAGMA query_only = 1');
  drain.start();
  await until('it failed', () => drain.status().last_error);
  expect(drain.status().last_error).toContain('cannot be written');
  database.exec('PRAGMA query_only = 0');
  clock.advance(1000);
  await until('it is done', () => drain.status().waiting === 0);
  expect(side.requests).toHaveLength(2);
});

test('no message ever has the credentials in it', async () => {
  const { side, drain, log } = await setUp(points(1));
  side.answerWith(401, 'unauthorized access');
  drain.start();
  await until('it failed', () => drain.status().last_error);
  expect(drain.status().last_error).toContain('check influx.token_file');
  expect([...log, drain.status().last_error].join()).not.toContain(TOKEN);
});

test('stop ends a wait at once, and nothing is sent after it', async () => {
  const { side, drain, clock, add } = await setUp(points(1));
  side.answerWith(503);
  drain.start();
  await until('it failed', () => drain.status().last_error);
  await drain.stop();
  add(points(1));
  drain.kick();
  clock.advance(120_000);
  expect(side.requests).toHaveLength(1);
});

test('stop waits for the write under way, so that it is not repeated', async () => {
  const { side, drain } = await setUp(points(1));
  const answers: (() => void)[] = [];
  side.answer = (_request, response) => answers.push(() => response.writeHead(204).end());
  drain.start();
  await until('the write is under way', () => answers.length === 1);
  const stopping = drain.stop();
  answers[0]?.();
  await stopping;
  expect(drain.status().waiting).toBe(0);
});

test('what was taken is deleted while the next batch is under way, and by a stop', async () => {
  const { outbox, side, drain } = await setUp(points(2500));
  const answers: (() => void)[] = [];
  side.answer = (_request, response) => answers.push(() => response.writeHead(204).end());
  drain.start();
  await until('the first is under way', () => answers.length === 1);
  expect(outbox.counts().waiting).toBe(2500);
  answers[0]?.();
  await until('the second is under way', () => answers.length === 2);
  await until('the first is deleted', () => outbox.counts().waiting === 1500);
  const stopping = drain.stop();
  answers[1]?.();
  await stopping;
  expect(outbox.counts().waiting).toBe(500);
  expect(side.requests).toHaveLength(2);
});

test('stop does not wait longer than five seconds, and what was under way stays in the outbox', async () => {
  const { side, drain, clock } = await setUp(points(1));
  side.answer = () => {};
  drain.start();
  await until('the write is under way', () => side.requests.length === 1);
  const stopping = drain.stop();
  clock.advance(5000);
  await stopping;
  expect(drain.status().waiting).toBe(1);
  await side.close();
});

test('a drain that was never started stops at once', async () => {
  const { drain } = await setUp();
  await drain.stop();
});

test('a batch of which InfluxDB refuses all points is set aside at once', async () => {
  const { outbox, side, drain } = await setUp([...points(1000, { device: 'old' }), ...points(3)]);
  side.answer = (request, response) => {
    const refused = request.lines.filter((line) => line.includes('device=old')).length;
    const message = `partial write: points beyond retention policy dropped=${refused}`;
    if (refused > 0) response.writeHead(422).end(JSON.stringify({ code: 'unprocessable entity', message }));
    else response.writeHead(204).end();
  };
  drain.start();
  await until('the outbox is empty', () => outbox.counts().waiting === 0);
  expect(outbox.counts().rejected).toBe(1000);
  expect(side.requests.map(({ lines }) => lines.length)).toEqual([1000, 3]);
});

test('of a batch that is refused in part the rest is written, and only the refused are set aside', async () => {
  const { outbox, side, drain } = await setUp([
    ...points(8),
    ...points(2, { device: 'bad' }),
    ...points(6, { from: 8 }),
  ]);
  side.answer = (request, response) => {
    const refused = request.lines.filter((line) => line.includes('device=bad')).length;
    if (refused > 0) response.writeHead(400).end(`{"error":"partial write: field type conflict dropped=${refused}"}`);
    else response.writeHead(204).end();
  };
  drain.start();
  await until('the outbox is empty', () => outbox.counts().waiting === 0);
  expect(outbox.rejected(9).map(({ point }) => JSON.parse(point).tags.device)).toEqual(['bad', 'bad']);
});
