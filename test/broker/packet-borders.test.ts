import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OVERSIZED, PacketBorders } from '../../broker/packet-borders.ts';

/** A packet whose body has `length` bytes, its length encoded as MQTT 3.1.1, section 2.2.3, says. */
const packet = (length: number): Buffer => {
  const head = [0x30];
  let rest = length;
  do {
    head.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length)]);
};

test('every packet border of a stream is found, however the stream is cut into chunks', () => {
  const lengths = fc.array(fc.oneof(fc.nat(3), fc.integer({ min: 126, max: 130 }), fc.nat(20_000)), { maxLength: 8 });
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1 }), (bodies, cuts) => {
      const packets = bodies.map(packet);
      const stream = Buffer.concat(packets);
      const borders = new PacketBorders();
      const found: number[] = [];
      let start = 0;
      for (let turn = 0; start < stream.length; turn++) {
        const chunk = stream.subarray(start, start + (cuts[turn % cuts.length] ?? 1));
        for (let at = 0; at < chunk.length; ) {
          at = borders.advance(chunk, at, 20_000);
          if (borders.atBorder) found.push(start + at);
        }
        start += chunk.length;
      }
      let end = 0;
      expect(found).toEqual(packets.map(({ length }) => (end += length)));
    }),
  );
});

test('a packet may be as long as the limit, and one byte more is oversized as soon as it is declared', () => {
  expect(new PacketBorders().advance(packet(300), 0, 300)).toBe(303);
  expect(new PacketBorders().advance(packet(301).subarray(0, 3), 0, 300)).toBe(OVERSIZED);
});

test('the largest length that MQTT knows passes if it is allowed', () => {
  expect(new PacketBorders().advance(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), 0, 268_435_455)).toBe(5);
});

test('a length of more than four bytes is oversized, even if its value is small', () => {
  expect(new PacketBorders().advance(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x00]), 0, 1000)).toBe(OVERSIZED);
});
