import { expect, it } from 'vitest';
import { readPayload } from '../../../../agent/hosts/node/read-payload.ts';
import { MAX_PAYLOAD_BYTES } from '../../../../broker/contract/numbers.ts';

/** A JSON object of so many bytes. */
const ofSize = (bytes: number): Buffer => Buffer.from(`{"a":"${'x'.repeat(bytes - 8)}"}`);

it('a payload of 1 MiB is read, one byte more is refused', () => {
  expect(readPayload(ofSize(MAX_PAYLOAD_BYTES))).toHaveProperty('a');
  expect(() => readPayload(ofSize(MAX_PAYLOAD_BYTES + 1))).toThrow('1048577 bytes are over 1048576');
});

it('what is no UTF-8 or no JSON is refused', () => {
  expect(() => readPayload(Buffer.from([0x22, 0xff, 0x22]))).toThrow(TypeError);
  expect(() => readPayload(Buffer.from('{'))).toThrow(SyntaxError);
});
