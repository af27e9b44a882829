import './ucode.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asUtf8 } from '../../../../agent/hosts/openwrt/utf8.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const ucode = (data: Uint8Array | string) => Buffer.from(data).toString('latin1');
const decode = (data: Uint8Array) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);

it('text is left as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(asUtf8(ucode(text))).toBe(ucode(text));
    }),
  );
});

it('whatever bytes there are, what comes out is UTF-8, and nothing that was UTF-8 is lost', () => {
  // Bytes at which the rules change.
  const edge = fc.constantFrom(
    0,
    0x7f,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc1,
    0xc2,
    0xe0,
    0xe1,
    0xed,
    0xf0,
    0xf4,
    0xf5,
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(edge, fc.nat(255)), { maxLength: 40 }), (list) => {
      const clean = asUtf8(ucode(Uint8Array.from(list)));
      expect(decode(bytes(clean)).replaceAll('?', '')).toBe(
        Buffer.from(list).toString('utf8').replaceAll('\u{fffd}', '').replaceAll('?', ''),
      );
      expect(clean.length).toBe(list.length);
    }),
    { numRuns: 2000 },
  );
});

it.each([
  ['cut', [0x61, 0xe2, 0x82], 'a??'],
  ['overlong', [0xc0, 0xaf, 0xe0, 0x80, 0xaf], '?????'],
  ['half of a pair', [0xed, 0xa0, 0x80], '???'],
  ['beyond the last character', [0xf4, 0x90, 0x80, 0x80], '????'],
])('a character that is %s is question marks', (_, list, text) => {
  expect(asUtf8(ucode(Uint8Array.from(list)))).toBe(text);
});
