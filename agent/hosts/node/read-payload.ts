import { MAX_PAYLOAD_BYTES } from '../../../broker/contract/numbers.ts';

/** What a payload says. Throws when it is over MAX_PAYLOAD_BYTES, or not UTF-8 JSON. */
export const readPayload = (bytes: Uint8Array): unknown => {
  if (bytes.length > MAX_PAYLOAD_BYTES) throw new Error(`${bytes.length} bytes are over ${MAX_PAYLOAD_BYTES}`);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
};
