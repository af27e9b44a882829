import { PassThrough } from 'node:stream';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { commandTopic, eventTopic, statusTopic } from '../../broker/contract/topics.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { nothingOpen } from '../helpers/open-handles.ts';
import { until } from '../helpers/until.ts';
import { connected, makeLink, rawClient, startBroker, statusOf } from './fixture.ts';
import { startMute } from './mute-broker.ts';

beforeEach(nothingOpen);
afterAll(nothingOpen);

const ready = { type: 'ready', run: 'r-1', boot: 'b1', nonce: 'n1' } as const;

describe('reconnecting', () => {
  test('after a restart of the broker the link is back with its subscriptions', async () => {
    const first = await startBroker();
    const { link, log, messages } = makeLink(first.port, 'ap-1');
    let connects = 0;
    let disconnects = 0;
    link.onConnect(() => {
      connects += 1;
    });
    link.onDisconnect(() => {
      disconnects += 1;
    });
    link.subscribe([commandTopic('ap-1')]);
    await connected(link);
    await first.broker.stop();
    await until('the link has noticed', () => disconnects === 1);
    expect(link.connected).toBe(false);
    const second = await startBroker({ port: first.port });
    await until('the link is back', () => connects === 2);
    const controller = await rawClient(second.port, 'perfleet-controller');
    await controller.publishAsync(commandTopic('ap-1'), '{"n":1}', { qos: 1 });
    await until('the command arrives', () => messages.length > 0);
    await link.stop();
    expect({ connects, disconnects }).toEqual({ connects: 2, disconnects: 2 });
    expect(log.of('info')).toHaveLength(2);
  });

  test('a reason that stays the same is logged once', async () => {
    const { broker, port } = await startBroker();
    const { link, log } = makeLink(port, 'ap-1', { password: 'wrong' });
    link.start();
    link.start();
    await until('it has tried often', () => broker.counters.connections_refused >= 3);
    await link.stop();
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { reason: 'Connection refused: Bad username or password' } },
    ]);
  });

  test('the waits between attempts double, spread by chance, and start again after a connection that was stable', async () => {
    const clock = new ManualClock();
    const { broker } = await startBroker();
    let works = false;
    let opened = 0;
    let attempts = 0;
    const waits: number[] = [];
    const { link } = makeLink(0, 'x', {
      url: null,
      clock,
      stream: () => {
        opened += 1;
        return works ? broker.open() : new PassThrough().destroy();
      },
      random: () => {
        attempts += 1;
        return 0.5;
      },
      reconnect: { min_ms: 1000, max_ms: 8000 },
      log: {
        debug: () => {},
        info: () => {},
        error: () => {},
        warn: (fields) => waits.push((fields as { delay_ms: number }).delay_ms),
      },
    });
    link.start();
    for (const wait_ms of [500, 1000, 2000, 4000, 4000]) {
      const before = opened;
      await until('the attempt has failed', () => attempts === before);
      clock.advance(wait_ms - 1);
      expect(opened).toBe(before);
      clock.advance(1);
      expect(opened).toBe(before + 1);
    }
    await until('the last attempt has failed', () => attempts === opened);
    works = true;
    const cut = async (lasted_ms: number) => {
      const back = new Promise<void>((resolve) => link.onConnect(resolve));
      clock.advance(8000);
      await back;
      clock.advance(lasted_ms);
      const gone = new Promise<void>((resolve) => link.onDisconnect(resolve));
      await broker.stop();
      await gone;
      await broker.start();
    };
    await cut(9_999);
    await cut(10_000);
    expect(waits).toEqual([500, 4000, 500]);
  });
});

describe('stopping', () => {
  test('before the start, and twice, is fine; the link may be started again', async () => {
    const { port } = await startBroker();
    const { link } = makeLink(port, 'ap-1');
    await link.stop();
    await connected(link);
    await Promise.all([link.stop(), link.stop()]);
    expect(link.connected).toBe(false);
    await connected(link);
  });

  test('publishes the last message and takes leave, so that the last will does not fire', async () => {
    const { port } = await startBroker();
    const controller = makeLink(port, 'perfleet-controller');
    controller.link.subscribe(['perfleet/1/#']);
    await connected(controller.link);
    const will = { topic: statusTopic('ap-1'), payload: statusOf('will', false), retain: true };
    const { link } = makeLink(port, 'ap-1', { will });
    await connected(link);
    await link.stop({ topic: statusTopic('ap-1'), payload: statusOf('farewell', false), retain: true });
    const other = makeLink(port, 'ap-2');
    await connected(other.link);
    await other.link.stop({ topic: eventTopic('ap-2'), payload: ready });
    await until('both have arrived', () => controller.messages.length === 2);
    expect(controller.messages.map(({ payload }) => payload)).toEqual([statusOf('farewell', false), ready]);
  });

  test('while waiting for the next attempt ends the waiting', async () => {
    const clock = new ManualClock();
    let opened = 0;
    let waits = 0;
    const stream = () => {
      opened += 1;
      return new PassThrough().destroy();
    };
    const random = () => {
      waits += 1;
      return 0.5;
    };
    const { link } = makeLink(0, 'x', { url: null, clock, stream, random });
    link.start();
    await until('it waits', () => waits === 1);
    await link.stop();
    clock.advance(120_000);
    expect(opened).toBe(1);
  });

  test('while the broker does not answer CONNECT cuts at once', async () => {
    const { port, packets } = await startMute(false);
    const { link } = makeLink(port, 'ap-1');
    link.start();
    await until('CONNECT was sent', () => packets.length === 1);
    await link.stop();
    expect(packets).toEqual([1]);
  });

  test('waits two seconds at most for a broker that does not acknowledge, and rejects what was under way', async () => {
    const clock = new ManualClock();
    const { port, packets } = await startMute(true);
    const { link, log } = makeLink(port, 'ap-1', { clock });
    await connected(link);
    const underWay = link.publish(eventTopic('ap-1'), ready);
    const rejected = expect(underWay).rejects.toThrow('ended before it answered');
    const stopped = link.stop({ topic: statusTopic('ap-1'), payload: statusOf('b', false), retain: true });
    await until('it was sent', () => packets.length >= 2);
    clock.advance(2000);
    await stopped;
    await rejected;
    expect(log.of('warn')).toMatchObject([{ message: 'the last message was not sent' }]);
  });
});

test('a link without URL and stream is refused', () => {
  expect(() => makeLink(0, 'x', { url: null })).toThrow('a link needs a broker URL or a stream');
});
