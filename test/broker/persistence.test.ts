import type { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CleanSessionPersistence, filterMatches, type RetainedPacket } from '../../broker/persistence.ts';

/** Counts how many entries were walked. */
class CountingMap<K, V> extends Map<K, V> {
  walked = 0;

  override *values(): MapIterator<V> {
    for (const value of super.values()) {
      this.walked += 1;
      yield value;
    }
  }

  override [Symbol.iterator](): MapIterator<[K, V]> {
    throw new Error('not walked in this way');
  }

  override entries = this[Symbol.iterator];
  override keys(): MapIterator<K> {
    throw new Error('not walked in this way');
  }
}

const status = (device: number, payload = 'x'): RetainedPacket => ({
  cmd: 'publish',
  topic: `perfleet/1/device/d${device}/status`,
  payload: Buffer.from(payload),
  qos: 1,
  retain: true,
});

const topics = async (stream: Readable): Promise<string[]> => {
  const packets: RetainedPacket[] = await stream.toArray();
  return packets.map(({ topic }) => topic);
};

test('exact filters are looked up among 2,000 retained topics without walking them', async () => {
  const retained = new CountingMap<string, RetainedPacket>();
  const persistence = new CleanSessionPersistence(retained);
  for (let device = 0; device < 2000; device++) await persistence.storeRetained(status(device));
  const filters = ['perfleet/1/device/d7/status', 'perfleet/1/device/d1999/status', 'perfleet/1/device/d2000/status'];
  expect(await topics(persistence.createRetainedStreamCombi(filters))).toEqual(filters.slice(0, 2));
  expect(retained.walked).toBe(0);
  expect(await topics(persistence.createRetainedStreamCombi(['perfleet/1/device/+/status']))).toHaveLength(2000);
  expect(retained.walked).toBe(2000);
});

test('a retained message is replaced by the next one and deleted by an empty one', async () => {
  const persistence = new CleanSessionPersistence();
  await persistence.storeRetained(status(1, 'old'));
  await persistence.storeRetained(status(1, 'new'));
  const [kept] = await persistence.createRetainedStreamCombi([status(1).topic]).toArray();
  expect(kept).toEqual(status(1, 'new'));
  await persistence.storeRetained(status(1, ''));
  expect(await topics(persistence.createRetainedStreamCombi(['#']))).toEqual([]);
});

test('a retained payload does not keep the network buffer alive that it came in', async () => {
  const persistence = new CleanSessionPersistence();
  const network = Buffer.alloc(65_536, 'x');
  await persistence.storeRetained({ ...status(1), payload: network.subarray(0, 4) });
  const [kept] = await persistence.createRetainedStreamCombi([status(1).topic]).toArray();
  expect(kept.payload.buffer).not.toBe(network.buffer);
});

test('the id of a QoS 2 message is known until it is released or the client leaves', async () => {
  const persistence = new CleanSessionPersistence();
  const client = { id: 'a' };
  await expect(persistence.incomingGetPacket(client, { messageId: 1 })).rejects.toThrow('no such packet');
  await persistence.incomingDelPacket(client, { messageId: 1 });
  for (const messageId of [1, 2]) await persistence.incomingStorePacket(client, { messageId });
  expect(await persistence.incomingGetPacket(client, { messageId: 1 })).toEqual({ messageId: 1 });
  await persistence.incomingDelPacket(client, { messageId: 1 });
  await expect(persistence.incomingGetPacket(client, { messageId: 1 })).rejects.toThrow('no such packet');
  await persistence.cleanIncoming(client);
  await expect(persistence.incomingGetPacket(client, { messageId: 2 })).rejects.toThrow('no such packet');
});

test('nothing is kept for a client that is away', async () => {
  const persistence = new CleanSessionPersistence();
  expect(await persistence.subscriptionsByTopic()).toEqual([]);
  expect(await persistence.outgoingStream().toArray()).toEqual([]);
  expect(await persistence.streamWill().toArray()).toEqual([]);
});

describe('filterMatches', () => {
  test.each([
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/b/c', 'a/b', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['+/+', 'a/b', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'b', false],
    ['#', 'a', true],
    ['a/+/c', 'a/b/d', false],
  ])('%s covers %s: %s', (filter, topic, expected) => {
    expect(filterMatches(filter, topic)).toBe(expected);
  });

  test('a topic is covered by itself with any levels replaced by +', () => {
    const level = fc.stringMatching(/^[a-z]{0,3}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(level, fc.boolean()), { minLength: 1 }), (levels) => {
        const topic = levels.map(([word]) => word).join('/');
        const filter = levels.map(([word, wild]) => (wild ? '+' : word)).join('/');
        expect(filterMatches(filter, topic)).toBe(true);
      }),
    );
  });
});
